import { beforeEach, describe, expect, test, vi } from 'vitest'
import { refreshing } from '../src/call/refresh.js'
import { createIdem, type Idem, memoryStore, type RunOptions } from '../src/index.js'
import { payloadDigest } from '../src/key/key.js'
import type { Store } from '../src/store.js'
import { controlled, deferred, testStore } from './tools.js'

const uncertain = expect.objectContaining({ code: 'IDEM_UNCERTAIN', status: 409, isRetryable: false })
const careful = { ifOwnerLost: 'reject' } as const

let store: Store
let idem: Idem
beforeEach(() => {
  store = memoryStore()
  idem = createIdem({ store, tuning: { leaseMs: 60, pollMinMs: 5, pollMaxMs: 10 } })
})

/** A process that begins an effect and is lost: its lock lapses, and nothing else is heard of it. */
async function beginAndVanish(key: string, options: RunOptions = {}): Promise<void> {
  const vanishing = testStore(store)
  const began = deferred()
  const lost = createIdem({ store: vanishing, tuning: { leaseMs: 60 } })
  lost
    .run(
      key,
      () => {
        vanishing.fault = () => 'refuse'
        began.resolve()
        return new Promise(() => {})
      },
      { ...careful, ...options },
    )
    .catch(() => {})
  await began.promise
  await vi.waitFor(
    async () => {
      const digest = (await digests(key)).at(0)!
      const lock = options.refresh ? refreshing({ id: digest } as never).id : digest
      expect(await store.read(lock)).toEqual({ state: 'absent' })
    },
    { timeout: 20_000 },
  )
}

/** The store's name of a key: `work` is told it. */
async function digests(key: string): Promise<string[]> {
  const seen: string[] = []
  await createIdem().run(key, (context) => void seen.push(context.idempotencyKey))
  return seen
}

describe("an effect with ifOwnerLost: 'reject'", () => {
  test('is not begun again when its process was lost: callers are told that nobody knows', async () => {
    await beginAndVanish('pay')
    const effect = vi.fn()
    await expect(idem.run('pay', effect, careful)).rejects.toThrow(uncertain)
    await expect(idem.run('pay', effect, careful)).rejects.toThrow(uncertain)
    expect(effect).not.toHaveBeenCalled()
  })

  test('tells those who were waiting for the lost process, too', async () => {
    const vanishing = testStore(store)
    const lost = createIdem({ store: vanishing, tuning: { leaseMs: 60 } })
    const { work, began } = controlled('never')
    lost.run('pay', work, careful).catch(() => {})
    await began
    const waiting = idem.run('pay', () => 'again', careful)
    vanishing.fault = () => 'refuse'
    await expect(waiting).rejects.toThrow(uncertain)
  })

  test('is begun again when the key was forgotten', async () => {
    await beginAndVanish('pay')
    await idem.forget('pay')
    expect(await idem.run('pay', () => 'paid', careful)).toBe('paid')
  })

  test('is begun again by a caller that does not ask for certainty', async () => {
    await beginAndVanish('pay')
    expect(await idem.run('pay', () => 'paid')).toBe('paid')
  })

  test('that failed may be tried again: its end is known', async () => {
    const failing = () => Promise.reject(new Error('declined'))
    await expect(idem.run('pay', failing, careful)).rejects.toThrow('declined')
    expect(await idem.run('pay', () => 'paid', careful)).toBe('paid')
  })

  test('that is done leaves no trace when its record is over: it may be had again', async () => {
    expect(await idem.run('pay', () => 'first', { ...careful, ttl: 60 })).toBe('first')
    await vi.waitFor(
      async () => {
        expect(await idem.run('pay', () => 'second', careful)).toBe('second')
      },
      { timeout: 20_000 },
    )
  })

  test('is not begun again as long as the work might have taken, however short the ttl', async () => {
    await beginAndVanish('pay', { ttl: 1 })
    await expect(idem.run('pay', () => 'again', careful)).rejects.toThrow(uncertain)
  })

  test('that was lost in a refresh can be had again when the key was forgotten', async () => {
    await idem.run('pay', () => 'old', careful)
    await beginAndVanish('pay', { refresh: true })
    const again = () => idem.run('pay', () => 'new', { ...careful, refresh: true })
    await expect(again()).rejects.toThrow(uncertain)
    await idem.forget('pay')
    expect(await again()).toBe('new')
  })

  test('has no second beside it: a refresh while it runs is refused', async () => {
    const { work, began, finish } = controlled('paid')
    const first = idem.run('pay', work, careful)
    await began
    const effect = vi.fn()
    await expect(idem.run('pay', effect, { ...careful, refresh: true })).rejects.toThrow(uncertain)
    finish()
    expect(await first).toBe('paid')
    expect(effect).not.toHaveBeenCalled()
  })

  test('can be refreshed again and again while it ends well, also by records that are too old', async () => {
    for (const value of [1, 2, 3]) {
      expect(await idem.run('pay', () => value, { ...careful, refresh: true })).toBe(value)
    }
  })

  test('whose result cannot be handed on happens once all the same: others are told so', async () => {
    const effect = vi.fn(async () => new (class Receipt {})())
    const other = createIdem({ store, logger: { warn() {} } })
    const asked = [idem, idem, other].map((one) => one.run('pay', effect, careful))
    const ends = await Promise.allSettled(asked)
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(effect).toHaveBeenCalledTimes(1)
    await expect(idem.run('pay', effect, careful)).rejects.toThrow(uncertain)
  })

  test("is not begun beside a running one when a waiter's time is over", async () => {
    const hasty = createIdem({
      store,
      ifWaitTimesOut: 'execute',
      tuning: { maxWaitMs: 30, pollMinMs: 5, pollMaxMs: 10 },
    })
    const { work, began, finish } = controlled('paid')
    const running = idem.run('pay', work, careful)
    await began
    const effect = vi.fn()
    await expect(hasty.run('pay', effect, careful)).rejects.toThrow(uncertain)
    finish()
    await running
    expect(effect).not.toHaveBeenCalled()
  })

  test('is not begun where a newer version of idem keeps the record: it cannot be read, and not be locked', async () => {
    const seen: { idempotencyKey: string }[] = []
    await createIdem().run('pay', (context) => void seen.push(context))
    const claim = { owner: 'o'.repeat(22), fingerprint: payloadDigest(null) }
    await store.complete(seen[0]!.idempotencyKey, claim, Buffer.from('{"v":99}\n'), 60_000)
    const effect = vi.fn()
    const quiet = createIdem({ store, logger: { warn() {} } })
    await expect(quiet.run('pay', effect, careful)).rejects.toThrow(uncertain)
    expect(effect).not.toHaveBeenCalled()
  })

  test('that never began, since the store did not answer, leaves nothing behind', async () => {
    const failing = testStore(store)
    failing.fault = (command) => (command === 'leaveNote' ? 'lose reply' : undefined)
    const unavailable = expect.objectContaining({ code: 'IDEM_STORE_UNAVAILABLE' })
    const one = createIdem({ store: failing })
    await expect(one.run('pay', () => 'never', careful)).rejects.toThrow(unavailable)
    failing.fault = () => undefined
    await vi.waitFor(async () => expect(await idem.run('pay', () => 'paid', careful)).toBe('paid'), {
      timeout: 20_000,
    })
  })

  test('that has run over its time is not known to have ended', async () => {
    const hasty = createIdem({ store, tuning: { maxExecutionMs: 20 } })
    const late = hasty.run('pay', () => new Promise(() => {}), careful)
    await expect(late).rejects.toThrow(expect.objectContaining({ code: 'IDEM_EXECUTION_TIMEOUT' }))
    await expect(idem.run('pay', () => 'paid', careful)).rejects.toThrow(uncertain)
  })

  test('happens once for many callers at once and later, and all have its result', async () => {
    const effect = vi.fn(() => 'paid')
    const others = [idem, createIdem({ store }), createIdem({ store })]
    const asked = others.flatMap((one) => [one.run('pay', effect, careful), one.run('pay', effect, careful)])
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['paid']))
    expect(await idem.run('pay', effect, careful)).toBe('paid')
    expect(effect).toHaveBeenCalledTimes(1)
  })

  test.each(['acquire', 'readNote', 'leaveNote'] as const)(
    'does not happen where the store fails at %s: it could not be known',
    async (command) => {
      const failing = testStore(store)
      failing.fault = (one) => (one === command ? 'refuse' : undefined)
      const effect = vi.fn()
      const unavailable = expect.objectContaining({ code: 'IDEM_STORE_UNAVAILABLE' })
      await expect(createIdem({ store: failing }).run('pay', effect, careful)).rejects.toThrow(unavailable)
      expect(effect).not.toHaveBeenCalled()
      failing.fault = () => undefined
      expect(await idem.run('pay', () => 'paid', careful)).toBe('paid')
    },
  )
})

test("ifStoreFails: 'reject' of one call wins over that of the idem, and the other way round", async () => {
  const failing = testStore()
  failing.fault = () => 'refuse'
  const closed = expect.objectContaining({ code: 'IDEM_STORE_UNAVAILABLE' })
  await expect(createIdem({ store: failing }).run('k', () => 1, { ifStoreFails: 'reject' })).rejects.toThrow(
    closed,
  )
  const strict = createIdem({ store: failing, ifStoreFails: 'reject' })
  expect(await strict.run('k', () => 1, { ifStoreFails: 'execute' })).toBe(1)
})
