import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createIdem, memoryStore } from '../src/index.js'
import { deferred, testStore, virtualTime } from './tools.js'

const logger = { warn() {} }
/** Long enough to do all of a test in. */
const localCache = { maxAgeMs: 600_000 }
const replayed = (value: unknown) => ({ value, outcome: 'replayed' })

describe('an answer in the local cache', () => {
  test('is replayed without a command, by the process that made it and by one that has read it', async () => {
    const store = testStore()
    const [maker, reader] = [createIdem({ store, localCache }), createIdem({ store, localCache })]
    await maker.run('key', () => ({ n: 1 }))
    await reader.run('key', () => 'again')
    const sent = store.sent.length
    for (const idem of [maker, reader]) {
      const answers = await Promise.all(
        [1, 2, 3].map(() => idem.runWithOutcome<unknown>('key', () => 'again')),
      )
      expect(answers[0]).toEqual(replayed({ n: 1 }))
      // Each caller has a copy of its own.
      expect(new Set(answers.map(({ value }) => value)).size).toBe(3)
    }
    expect(store.sent.length).toBe(sent)
  })

  test('is none by default: each replay asks the store', async () => {
    const store = testStore()
    const idem = createIdem({ store })
    await idem.run('key', () => 1)
    const sent = store.sent.length
    await idem.run('key', () => 2)
    expect(store.sent.length).toBe(sent + 1)
  })

  test('is gone when it was forgotten or refreshed here', async () => {
    const idem = createIdem({ localCache })
    await idem.run('key', () => 1)
    await idem.forget('key')
    expect(await idem.run('key', () => 2)).toBe(2)
    expect(await idem.run('key', () => 3, { refresh: true })).toBe(3)
    expect(await idem.runWithOutcome('key', () => 4)).toEqual(replayed(3))
  })

  test('that was read while it was being forgotten is not kept', async () => {
    const shared = memoryStore()
    const store = testStore(shared)
    await createIdem({ store: shared }).run('key', () => 'old')
    const idem = createIdem({ store, localCache })
    const [asked, late] = [deferred(), deferred()]
    store.acquire = async (...args) => {
      const found = await shared.acquire(...args)
      asked.resolve()
      await late.promise
      return found
    }
    const reading = idem.run('key', () => 'new')
    await asked.promise
    await idem.forget('key')
    late.resolve()
    expect(await reading).toBe('old')
    expect(await idem.run('key', () => 'new')).toBe('new')
  })

  test('that was read before the store had forgotten it is gone when it has', async () => {
    const shared = memoryStore()
    const store = testStore(shared)
    const idem = createIdem({ store, localCache })
    await idem.run('key', () => 'old')
    const late = deferred()
    store.forget = async (key) => {
      await late.promise
      return shared.forget(key)
    }
    const forgetting = idem.forget('key')
    expect(await idem.run('key', () => 'new')).toBe('old')
    late.resolve()
    await forgetting
    expect(await idem.run('key', () => 'new')).toBe('new')
  })

  test('is not given to a caller that wants a younger one, or for another request', async () => {
    const time = virtualTime()
    const idem = createIdem({ localCache })
    await idem.run('key', () => 1, { ttl: '10m' })
    await time.pass(2_000)
    expect(await idem.run('key', () => 2, { ttl: '5m' })).toBe(1)
    expect(await idem.run('key', () => 2, { ttl: '1s' })).toBe(2)
    await expect(idem.run('key', () => 3, { fingerprint: 'other' })).rejects.toMatchObject({
      code: 'IDEM_KEY_REUSED',
    })
  })

  test('does not outlive its record, nor its own time', async () => {
    const time = virtualTime()
    const store = testStore()
    const idem = createIdem({ store, localCache: { maxAgeMs: 1_000 } })
    const asks = async (key: string, ttl: number) => {
      const sent = store.sent.length
      await idem.run(key, () => 1, { ttl })
      return store.sent.length > sent
    }
    expect([await asks('brief', 200), await asks('key', 60_000)]).toEqual([true, true])
    await time.pass(190)
    expect([await asks('brief', 200), await asks('key', 60_000)]).toEqual([false, false])
    await time.pass(60)
    expect([await asks('brief', 60_000), await asks('key', 60_000)]).toEqual([true, false])
    await time.pass(800)
    expect(await asks('key', 60_000)).toBe(true)
  })

  test('takes no more bytes than it is given: the least recently used go', async () => {
    const store = testStore()
    const idem = createIdem({ store, localCache: { maxBytes: 10_000, maxAgeMs: 600_000 } })
    const value = 'x'.repeat(2_000)
    for (const key of ['a', 'b', 'c', 'd']) await idem.run(key, () => value)
    await idem.run('large', () => 'x'.repeat(20_000))
    const asks = async (key: string) => {
      const sent = store.sent.length
      await idem.run(key, () => 'again')
      return store.sent.length > sent
    }
    expect(await asks('d')).toBe(false)
    expect(await asks('a')).toBe(true)
    expect(await asks('large')).toBe(true)
  })

  test('is given although the store is away', async () => {
    const store = testStore()
    const idem = createIdem({ store, localCache, logger })
    await idem.run('key', () => 1)
    store.fault = () => 'refuse'
    expect(await idem.runWithOutcome('key', () => 2, { ifStoreFails: 'reject' })).toEqual(replayed(1))
  })
})

/** What two processes do, one after the other; `ms` passes before. */
const steps = fc.array(
  fc.record({
    ms: fc.integer({ min: 0, max: 400 }),
    process: fc.constantFrom(0, 1),
    does: fc.constantFrom('run', 'run', 'run', 'forget', 'refresh'),
    key: fc.constantFrom('a', 'b'),
  }),
  { maxLength: 25 },
)

test('whatever two processes do, what one of them has forgotten or refreshed it never sees again, and the other not after the time', async () => {
  const time = virtualTime()
  const maxAgeMs = 500
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const store = memoryStore()
      const idems = [0, 1].map(() => createIdem({ store, localCache: { maxAgeMs } }))
      /** By key: the answers that were replaced or forgotten, when, and by whom. */
      const gone = new Map<string, { atMs: number; by: number }>()
      const last = new Map<string, string>()
      let made = 0
      for (const { ms, process, does, key } of all) {
        if (ms > 0) await time.pass(ms)
        const idem = idems[process]!
        const leaves = () => {
          const old = last.get(key)
          if (old !== undefined) gone.set(old, { atMs: performance.now(), by: process })
        }
        const make = () => `${key} ${++made}`
        if (does === 'forget') {
          await idem.forget(key)
          leaves()
          last.delete(key)
          continue
        }
        const value = await idem.run(key, make, { refresh: does === 'refresh' })
        if (does === 'refresh') leaves()
        const was = gone.get(value)
        if (was) expect([was.by, performance.now() - was.atMs < maxAgeMs]).toEqual([1 - process, true])
        else last.set(key, value)
      }
      await Promise.all(idems.map((idem) => idem.close()))
    }),
    { numRuns: 60 },
  )
})

test.each([
  [{ maxBytes: 0 }],
  [{ maxBytes: 1.5 }],
  [{ maxAgeMs: 0 }],
  [{ maxAgeMs: '2s' }],
  [{ ttl: 5 }],
  [true],
])('a local cache of %j is refused', (odd) => {
  expect(() => createIdem({ localCache: odd as never })).toThrow(
    expect.objectContaining({
      code: 'IDEM_INVALID_ARGUMENT',
      message: expect.stringContaining('localCache'),
    }),
  )
})
