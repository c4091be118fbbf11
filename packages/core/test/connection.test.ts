import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createIdem, type IdemOptions, memoryStore, StoreError } from '../src/index.js'
import { Breaker } from '../src/store/breaker.js'
import { Connection } from '../src/store/connection.js'
import type { Store } from '../src/store.js'
import { controlled, deferred, type TestStore, testStore, virtualTime } from './tools.js'

/** A store whose connection the test controls. */
let shared: Store
let store: TestStore
let isUp: boolean
let refusal: StoreError | undefined
let asked: number
beforeEach(() => {
  shared = memoryStore()
  store = testStore(shared)
  isUp = true
  refusal = undefined
  asked = 0
  store.ready = async () => {
    asked++
    if (isUp) return
    throw refusal ?? new StoreError('connect ECONNREFUSED', { effect: 'none' })
  }
})
const warn = vi.fn()
const lossy = (options: IdemOptions = {}) =>
  createIdem({ store, logger: { warn }, ...options, tuning: { pollMaxMs: 50, ...options.tuning } })

describe('a connection that is lost', () => {
  test('for less than the store budget costs no call: commands wait for it, and none is sent meanwhile', async () => {
    const idem = lossy({
      tuning: { storeBudgetMs: 60_000 },
    })
    const { work, began, finish } = controlled('owner')
    const owner = createIdem({ store: shared }).run('key', work)
    await began
    await idem.run('before', () => 1)
    isUp = false
    store.sent.length = 0
    const keys = ['key', 'a', 'b', 'c', 'd']
    const calls = keys.map((key) => idem.runWithOutcome(key, () => 'own'))
    await vi.waitFor(() => expect(asked).toBeGreaterThan(10))
    expect(store.sent).toEqual([])
    isUp = true
    expect((await calls[1]!).outcome).toBe('executed')
    finish()
    expect(await calls[0]).toEqual({ value: 'owner', outcome: 'collapsed' })
    await Promise.all(calls)
    await owner
    expect(idem.stats().failedOpen).toBe(0)
  })

  test('while commands are on their way does not make the store rest: it is used at once when it is back', async () => {
    const idem = lossy()
    await idem.run('before', () => 1)
    // Each command is lost with the connection, which is back right after.
    let lost = 0
    store.fault = (command) => {
      if (command !== 'acquire' || lost >= 20) return undefined
      lost++
      return 'lose reply'
    }
    const values = await Promise.all(Array.from({ length: 10 }, (_, key) => idem.run(`${key}`, () => key)))
    expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(lost).toBe(20)
    expect(idem.stats().failedOpen).toBe(0)
  })

  test('with commands on their way that are never answered is used at once when it is back, too', async () => {
    const idem = lossy({
      tuning: { storeBudgetMs: 40 },
    })
    await idem.run('before', () => 1)
    store.fault = (command) => {
      isUp = false
      return command === 'acquire' ? 'hang' : undefined
    }
    await Promise.all([1, 2, 3, 4].map((key) => idem.run(`during ${key}`, () => 1)))
    store.fault = () => undefined
    isUp = true
    store.sent.length = 0
    await idem.run('after', () => 1)
    expect(store.sent).toContain('acquire')
  })

  test('for more than a budget and less than two costs no call either: clients pause before they try again', async () => {
    const time = virtualTime()
    const idem = lossy()
    await time.until(idem.run('before', () => 1))
    isUp = false
    const calls = ['a', 'b'].map((key) => idem.runWithOutcome(key, () => key))
    await time.pass(1_800)
    expect(store.sent.slice(2)).toEqual([])
    isUp = true
    expect(await time.until(Promise.all(calls))).toMatchObject([
      { outcome: 'executed' },
      { outcome: 'executed' },
    ])
    expect(store.sent.slice(2).filter((one) => one === 'acquire')).toHaveLength(2)
    expect(idem.stats().failedOpen).toBe(0)
  })

  test('twice gives each its time, and a store that is silent then is not waited for longer than a budget', async () => {
    const time = virtualTime()
    const idem = lossy()
    await time.until(idem.run('before', () => 1))
    isUp = false
    const call = idem.run('key', () => 'own')
    await time.pass(1_500)
    let replies = 0
    store.fault = (command) => {
      if (command !== 'acquire') return undefined
      if (replies++ > 0) return 'hang'
      isUp = false
      return 'lose reply'
    }
    isUp = true
    await time.pass(100)
    expect(replies).toBe(1)
    isUp = true
    const back = performance.now()
    expect(await time.until(call)).toBe('own')
    expect(replies).toBe(2)
    expect(performance.now() - back).toBeLessThanOrEqual(1_050)
  })

  test('is waited for by a caller in haste as long as its time allows', async () => {
    const time = virtualTime()
    const connection = new Connection(
      () => store.ready(),
      2_000,
      () => {},
    )
    await connection.ready(0)
    isUp = false
    await connection.isThere()
    await time.pass(1_000)
    const began = performance.now()
    for (const [forMs, waits] of [
      [300, 300],
      [5_000, 700],
      [5_000, 0],
    ] as const) {
      const from = performance.now()
      await expect(time.until(connection.ready(forMs)!)).rejects.toMatchObject({ code: 'IDEM_STORE_ERROR' })
      expect(performance.now() - from).toBeCloseTo(waits, -1)
    }
    expect(performance.now() - began).toBeCloseTo(1_000, -1)
    connection.stop()
  })

  test('to one part of the store holds up the calls of that part alone', async () => {
    let down: string | undefined
    store.domain = (key) => key
    store.ready = async (key) => {
      if (key === down) throw new StoreError('node is away', { effect: 'none' })
    }
    const idem = lossy({
      tuning: { storeBudgetMs: 60_000 },
    })
    const idOf = (key: string) => idem.run(key, (context) => context.idempotencyKey)
    const one = await idOf('one')
    await idem.forget('one')
    down = one
    const held = idem.runWithOutcome('one', () => 'one')
    expect(await idem.runWithOutcome('other', () => 'other')).toMatchObject({ outcome: 'executed' })
    down = undefined
    expect(await held).toEqual({ value: 'one', outcome: 'executed' })
    expect(idem.stats().failedOpen).toBe(0)
  })

  test('for longer lets calls go on, those that come later at once, with the client’s own reason', async () => {
    const idem = lossy({
      tuning: { storeBudgetMs: 40 },
    })
    await idem.run('before', () => 1)
    isUp = false
    await idem.run('first', () => 1)
    const failed = vi.fn()
    idem.on('failedOpen', failed)
    const turns = await turnsOf(idem.run('second', () => 1))
    expect(turns).toBeLessThan(20)
    expect(failed.mock.calls[0]![0].error.message).toBe('connect ECONNREFUSED')
    isUp = true
    expect(await idem.run('third', () => 1)).toBe(1)
    expect(store.sent.slice(-2)).toEqual(['acquire', 'complete'])
  })

  test('gives its answers to later callers of the process, and stores them when it is back', async () => {
    const idem = lossy({
      tuning: { storeBudgetMs: 40, leaseMs: 600_000 },
    })
    const work = vi.fn(async () => {
      isUp = false
      return 'paid for'
    })
    await idem.run('key', work)
    expect(await idem.runWithOutcome('key', work)).toEqual({ value: 'paid for', outcome: 'replayed' })
    expect(work).toHaveBeenCalledTimes(1)
    const stored = store.answered('complete')
    isUp = true
    await stored
    const look = await createIdem({ store: shared }).runWithOutcome('key', work)
    expect(look).toEqual({ value: 'paid for', outcome: 'replayed' })
  })

  test('gives an answer made without the store to later callers of the process, too', async () => {
    const idem = lossy({
      tuning: { storeBudgetMs: 40, leaseMs: 600_000 },
    })
    isUp = false
    expect(await idem.run('key', () => 'once')).toBe('once')
    expect(await idem.runWithOutcome('key', () => 'twice')).toEqual({ value: 'once', outcome: 'replayed' })
  })
})

describe('a client that is not connected', () => {
  test('and never was is not waited for once it says why', async () => {
    isUp = false
    const idem = lossy({
      tuning: { storeBudgetMs: 600_000 },
    })
    expect(await idem.run('cold', () => 'made')).toBe('made')
    const closed = idem.run('cold', () => 'made', { ifStoreFails: 'reject' })
    await expect(closed).rejects.toMatchObject({
      code: 'IDEM_STORE_UNAVAILABLE',
      message: expect.stringContaining('connect ECONNREFUSED'),
      cause: { message: 'connect ECONNREFUSED' },
    })
  })

  test('since somebody closed it is not waited for', async () => {
    const idem = lossy({
      tuning: { storeBudgetMs: 600_000 },
    })
    await idem.run('before', () => 1)
    isUp = false
    refusal = new StoreError('The client is closed.', { effect: 'none', refused: 'closed' })
    expect(await idem.run('after', () => 1)).toBe(1)
  })

  test('is not looked for any more when idem is closed', async () => {
    const ready = vi.fn(() => Promise.reject(new Error('away')))
    const connection = new Connection(ready, 1_000, () => {})
    await connection.isThere()
    connection.stop()
    await connection.back()
    const asked = ready.mock.calls.length
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(ready).toHaveBeenCalledTimes(asked)
  })
})

/** How many turns of the event loop a promise takes. */
async function turnsOf(promise: Promise<unknown>): Promise<number> {
  let turns = 0
  let isOver = false
  void promise.finally(() => {
    isOver = true
  })
  while (!isOver) {
    turns++
    await new Promise(setImmediate)
  }
  return turns
}

describe('a breaker', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const failing = (times: number) => {
    const breaker = new Breaker()
    for (let each = 0; each < times; each++) breaker.failed()
    return breaker
  }

  test('admits commands until three in a row were not answered', () => {
    expect(failing(2).admits()).toBe(true)
    expect(failing(3).admits()).toBe(false)
  })

  test('is not opened by failures with an answer between them', () => {
    const breaker = failing(2)
    breaker.reset()
    breaker.failed()
    expect(breaker.admits()).toBe(true)
  })

  test('admits one command after a second, and all once that is answered', () => {
    const breaker = failing(3)
    vi.advanceTimersByTime(999)
    expect(breaker.admits()).toBe(false)
    vi.advanceTimersByTime(1)
    expect([breaker.admits(), breaker.admits()]).toEqual([true, false])
    breaker.reset()
    expect([breaker.admits(), breaker.admits()]).toEqual([true, true])
  })

  test('rests again when that one is not answered, and lets another try where it said nothing', () => {
    const breaker = failing(3)
    vi.advanceTimersByTime(1_000)
    breaker.admits()
    breaker.failed()
    expect(breaker.admits()).toBe(false)
    vi.advanceTimersByTime(1_000)
    breaker.admits()
    breaker.unsure()
    expect(breaker.admits()).toBe(true)
  })

  test('knows for how long errors came and no answer', () => {
    const breaker = new Breaker()
    expect(breaker.errsForMs).toBe(0)
    breaker.erred()
    vi.advanceTimersByTime(400)
    breaker.erred()
    expect(breaker.errsForMs).toBe(400)
    breaker.reset()
    expect(breaker.errsForMs).toBe(0)
  })
})

describe('the event lockLost', () => {
  test('tells once that another owner has the lock', async () => {
    const idem = lossy({
      tuning: { leaseMs: 30 },
    })
    const lost = vi.fn()
    idem.on('lockLost', lost)
    const renew = store.renew
    store.renew = async (...args) =>
      store.sent.filter((one) => one === 'renew').length ? 'lost' : renew(...args)
    let key = ''
    await idem.run('key', async (context) => {
      key = context.idempotencyKey
      await store.answered('renew')
      await vi.waitFor(() => expect(lost).toHaveBeenCalled())
    })
    expect(lost.mock.calls).toEqual([[{ digest: key }]])
  })

  test('tells that the lock could not be renewed for a lease', async () => {
    const idem = lossy({
      tuning: { leaseMs: 60, storeBudgetMs: 10 },
    })
    const lost = deferred<{ digest: string }>()
    idem.on('lockLost', lost.resolve)
    await idem.run('key', async ({ idempotencyKey: key }) => {
      store.fault = (command) => (command === 'renew' ? 'refuse' : undefined)
      expect(await lost.promise).toEqual({ digest: key })
    })
  })

  test('tells nothing of a call that never had a lock, or whose lock is held', async () => {
    const idem = lossy({
      tuning: { leaseMs: 30, storeBudgetMs: 500 },
    })
    const lost = vi.fn()
    idem.on('lockLost', lost)
    await idem.run('held', () => store.answered('renew', 3))
    isUp = false
    await idem.run('never had', () => new Promise((resolve) => setTimeout(resolve, 60)))
    expect(lost).not.toHaveBeenCalled()
  })
})
