import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createIdem, type IdemOptions, memoryStore, StoreError } from '../src/index.js'
import type { Store } from '../src/store.js'
import { controlled, deferred, type TestStore, testStore } from './tools.js'

/** So long that a test which waits for a lock to lapse fails by its time limit. */
const leaseMs = 600_000

/** Two processes on one store: the first through a store that refuses as it is told. */
let shared: Store
let store: TestStore
let warn: ReturnType<typeof vi.fn<(message: string) => void>>
beforeEach(() => {
  shared = memoryStore()
  store = testStore(shared)
  warn = vi.fn()
})
const refusing = (options: IdemOptions = {}) =>
  createIdem({ store, logger: { warn }, ...options, tuning: { leaseMs, pollMaxMs: 50, ...options.tuning } })
const other = (options: IdemOptions = {}) =>
  createIdem({
    store: shared,
    logger: { warn },
    ...options,
    tuning: { leaseMs, pollMaxMs: 50, ...options.tuning },
  })
const unavailable = expect.objectContaining({ code: 'IDEM_STORE_UNAVAILABLE' })
const warnings = (about: RegExp) => warn.mock.calls.flat().filter((message) => about.test(message))

describe('a commit that is refused', () => {
  beforeEach(() => {
    store.fault = (command) => (command === 'complete' ? 'forbid' : undefined)
  })

  test('gives those who wait elsewhere the answer, and nobody the lock to wait for', async () => {
    const { work, began, finish } = controlled('paid for')
    const first = refusing().run('key', work)
    await began
    const waiting = other().runWithOutcome('key', () => 'again')
    finish()
    expect(await first).toBe('paid for')
    expect(await waiting).toEqual({ value: 'paid for', outcome: 'collapsed' })
    expect(await other().run('key', () => 'made at once')).toBe('made at once')
  })

  test('is told once, by name', async () => {
    const idem = refusing()
    await idem.run('a', () => 1)
    await idem.run('b', () => 1)
    expect(warnings(/complete is forbidden/)).toHaveLength(1)
    expect(warn).toHaveBeenCalledTimes(1)
  })

  test('leaves the answer to later callers of the process, without another command', async () => {
    const idem = refusing()
    await idem.run('key', () => 'paid for')
    store.sent.length = 0
    expect(await idem.runWithOutcome('key', () => 'again')).toEqual({
      value: 'paid for',
      outcome: 'replayed',
    })
    expect(store.sent).toEqual([])
  })

  test('is forgotten with the key: it is neither replayed nor stored later', async () => {
    const idem = refusing({
      tuning: { leaseMs: 30 },
    })
    await idem.run('key', () => 'forget me')
    await idem.forget('key')
    store.fault = () => undefined
    const again = store.answered('complete')
    expect(await idem.run('key', () => 'new')).toBe('new')
    await again
    expect(await other().run('key', () => 'other')).toBe('new')
  })

  test('is not given to callers for whom it is too old, or that ask for a new one', async () => {
    const idem = refusing()
    await idem.run('key', () => 1)
    expect(await idem.run('key', () => 2, { refresh: true })).toBe(2)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await idem.run('key', () => 3, { ttl: 1 })).toBe(3)
  })

  test('is made up for as soon as the store takes it', async () => {
    const idem = refusing({
      tuning: { leaseMs: 30 },
    })
    await idem.run('key', () => 'paid for')
    const stored = store.answered('complete')
    store.fault = () => undefined
    await stored
    expect(await other().runWithOutcome('key', () => 'again')).toEqual({
      value: 'paid for',
      outcome: 'replayed',
    })
  })

  test('is reported as given up when idem closes before the store takes it', async () => {
    const idem = refusing()
    await idem.run('key', () => 1)
    await idem.close()
    expect(warnings(/could not be stored and is given up \(complete is forbidden\)/)).toHaveLength(1)
  })
})

describe("with ifStoreFails: 'reject'", () => {
  const closed = { ifStoreFails: 'reject' } as const

  test.each(['acquire', 'renew', 'complete', 'release', 'leaveNote', 'readNote', 'read'] as const)(
    'no effect happens where %s is refused from the start, and the error names it',
    async (command) => {
      store.fault = (one) => (one === command ? 'forbid' : undefined)
      const effect = vi.fn()
      const run = refusing(closed).run('key', effect)
      await expect(run).rejects.toMatchObject({
        code: 'IDEM_STORE_UNAVAILABLE',
        message: expect.stringContaining(`${command} is forbidden`),
      })
      expect(effect).not.toHaveBeenCalled()
    },
  )

  test('the commands are proved once, not for each call', async () => {
    const idem = refusing(closed)
    await idem.run('a', () => 1)
    store.sent.length = 0
    await idem.run('b', () => 1)
    expect(store.sent).toEqual(['acquire', 'readNote', 'complete'])
  })

  test('they are proved again after they were refused: what was granted meanwhile is used', async () => {
    const idem = refusing(closed)
    store.fault = (command) => (command === 'renew' ? 'forbid' : undefined)
    await expect(idem.run('key', () => 1)).rejects.toThrow(unavailable)
    store.fault = () => undefined
    expect(await idem.run('key', () => 2)).toBe(2)
  })

  /** An effect during which commands become refused. */
  async function refusedMeanwhile(commands: readonly string[], options: IdemOptions = {}) {
    const idem = refusing({ ...closed, ...options })
    const effect = vi.fn(() => {
      store.fault = (command) => (commands.includes(command) ? 'forbid' : undefined)
      return 'done'
    })
    await idem.run('warm up', () => 1)
    expect(await idem.run('key', effect)).toBe('done')
    return idem
  }

  test('an answer whose record was refused is not made again by others: they are told at once', async () => {
    const idem = await refusedMeanwhile(['complete'])
    const again = vi.fn()
    await expect(other(closed).run('key', again)).rejects.toThrow(unavailable)
    expect(again).not.toHaveBeenCalled()
    expect(await idem.run('key', again)).toBe('done')
  })

  test('the same goes for callers that are to be told of lost owners', async () => {
    await refusedMeanwhile(['complete'])
    const again = vi.fn()
    const run = other().run('key', again, { ifOwnerLost: 'reject' })
    await expect(run).rejects.toMatchObject({ code: 'IDEM_UNCERTAIN' })
    expect(again).not.toHaveBeenCalled()
  })

  test('it is replayed to them once it is stored, and may then be had again when that is over', async () => {
    await refusedMeanwhile(['complete'], {
      tuning: { leaseMs: 30 },
    })
    const cleared = store.answered('leaveNote')
    store.fault = () => undefined
    await cleared
    const again = other(closed)
    expect(await again.runWithOutcome('key', () => 'again')).toEqual({ value: 'done', outcome: 'replayed' })
    expect(await again.run('key', () => 'again', { refresh: true })).toBe('again')
  })

  test('it may be made again when the key was forgotten', async () => {
    await refusedMeanwhile(['complete'])
    await other().forget('key')
    expect(await other(closed).run('key', () => 'again')).toBe('again')
  })

  test('where not even that can be noted, the lock is kept and renewed until the commit is made', async () => {
    const idem = await refusedMeanwhile(['complete', 'leaveNote'], {
      tuning: { leaseMs: 90 },
    })
    await store.answered('renew', 5) // 150 ms: well over a lease.
    const again = vi.fn()
    const waiting = other(closed).run('key', again)
    await store.answered('renew', 2)
    const stored = store.answered('complete')
    store.fault = () => undefined
    await stored
    expect(await waiting).toBe('done')
    expect(again).not.toHaveBeenCalled()
    await idem.close()
  })

  test('nobody else runs the effect when a lock that may not be renewed has lapsed', async () => {
    const idem = refusing({ ...closed, tuning: { leaseMs: 60 } })
    await idem.run('warm up', () => 1)
    store.fault = (command) => (command === 'renew' ? 'forbid' : undefined)
    const marked = store.answered('leaveNote')
    const { work, began, finish } = controlled('done')
    let key = ''
    const first = idem.run('key', (context) => {
      key = context.idempotencyKey
      return work()
    })
    await began
    await marked
    const again = vi.fn(() => 'again')
    await expect(other(closed).run('key', again)).rejects.toThrow(unavailable)
    expect(again).not.toHaveBeenCalled()
    const cleared = store.answered('leaveNote')
    finish()
    expect(await first).toBe('done')
    expect(await other(closed).run('key', again)).toBe('done')
    // The mark goes when the record comes. When the record is over, the effect may run again.
    await cleared
    await shared.forget(key)
    expect(await other(closed).run('key', again)).toBe('again')
  })

  test('an effect that failed meanwhile may be tried again', async () => {
    const idem = refusing({ ...closed, tuning: { leaseMs: 60 } })
    await idem.run('warm up', () => 1)
    store.fault = (command) => (command === 'renew' ? 'forbid' : undefined)
    const marked = store.answered('leaveNote')
    const failing = async () => {
      await marked
      throw new Error('declined')
    }
    await expect(idem.run('key', failing)).rejects.toThrow('declined')
    expect(await other(closed).run('key', () => 'done')).toBe('done')
  })

  test('a record that nobody here can read is not called around', async () => {
    const digest = deferred<string>()
    await createIdem().run('key', ({ idempotencyKey: key }) => digest.resolve(key))
    const claim = { owner: 'o'.repeat(22), fingerprint: 'f'.repeat(43) }
    const found = await shared.acquire(await digest.promise, claim, 1)
    expect(found.state).toBe('acquired')
    store.acquire = async () => ({
      state: 'completed',
      record: { owner: '', fingerprint: '', storedAtMs: 0, bytes: Buffer.from('{"v":99}\n') },
    })
    const effect = vi.fn()
    await expect(refusing(closed).run('key', effect)).rejects.toThrow(unavailable)
    expect(effect).not.toHaveBeenCalled()
  })
})

describe('what the store goes on from', () => {
  test('is told once, by its topic, until idem closes', async () => {
    let tell: (topic: string, message: string) => void = () => {}
    const stop = vi.fn()
    const noticing = Object.assign(store, {
      onNotice(listener: typeof tell) {
        tell = listener
        return stop
      },
    })
    const idem = createIdem({ store: noticing, logger: { warn } })
    const heard = vi.fn()
    idem.on('warning', heard)
    tell('refused-SPUBLISH', 'no hints')
    tell('refused-SPUBLISH', 'no hints')
    expect(heard.mock.calls).toEqual([[{ topic: 'refused-SPUBLISH', message: 'no hints' }]])
    await idem.close()
    expect(stop).toHaveBeenCalledTimes(1)
  })

  test('is a watch that is refused: it is told by name, and waiters poll', async () => {
    store.watch = () => ({
      ready: Promise.reject(
        new StoreError('SSUBSCRIBE is forbidden', { effect: 'none', refused: 'SSUBSCRIBE' }),
      ),
      stop() {},
    })
    const { work, began, finish } = controlled('answer')
    const first = other().run('key', work)
    await began
    const sawLock = store.answered('acquire')
    const second = refusing().run('key', () => 'again')
    await sawLock
    finish()
    expect(await second).toBe('answer')
    await first
    expect(warnings(/SSUBSCRIBE is forbidden/)).toHaveLength(1)
  })
})
