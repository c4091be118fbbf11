import { existsSync, mkdir, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createIdem, memoryStore, StoreError, UnsupportedServerError } from '../src/index.js'
import { deferred, type Fault, testStore, virtualTime } from './tools.js'

const logger = { warn() {} }

describe('a store in trouble never fails the call', () => {
  test.each<Fault>(['refuse', 'hang', 'bug', 'lose reply'])(
    'when every command ends in: %s',
    async (fault) => {
      const store = testStore()
      store.fault = () => fault
      const idem = createIdem({ store, tuning: { storeBudgetMs: 40 }, logger })
      const work = vi.fn(async () => 'answer')
      const values = await Promise.all(Array.from({ length: 20 }, () => idem.run('key', work)))
      expect(new Set(values)).toEqual(new Set(['answer']))
      // Without a store, duplicates still collapse inside the process.
      expect(work).toHaveBeenCalledTimes(1)
      expect(idem.stats().failedOpen).toBe(1)
    },
  )

  test('and is warned about once, with its reason', async () => {
    const store = testStore()
    store.fault = () => 'refuse'
    const warn = vi.fn()
    const idem = createIdem({ store, logger: { warn } })
    await idem.run('a', () => 1)
    await idem.run('b', () => 1)
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/cannot be reached \(refused\)/))
  })

  test('a rejection of the work stays the rejection', async () => {
    const store = testStore()
    store.fault = () => 'refuse'
    const idem = createIdem({ store, logger })
    const boom = new Error('boom')
    await expect(idem.run('key', () => Promise.reject(boom))).rejects.toBe(boom)
  })

  test("unless asked to: then it fails with IDEM_STORE_UNAVAILABLE and the store's error as its cause", async () => {
    const store = testStore()
    store.fault = () => 'refuse'
    const idem = createIdem({ store, ifStoreFails: 'reject', logger })
    const work = vi.fn()
    await expect(idem.run('key', work)).rejects.toMatchObject({
      code: 'IDEM_STORE_UNAVAILABLE',
      status: 503,
      cause: { code: 'IDEM_STORE_ERROR' },
    })
    expect(work).not.toHaveBeenCalled()
  })

  test('also when its server can never work: calls go on, with one warning that says why', async () => {
    const store = testStore()
    store.acquire = () => Promise.reject(new UnsupportedServerError('too old'))
    const warn = vi.fn()
    const idem = createIdem({ store, logger: { warn } })
    expect(await idem.run('a', () => 1)).toBe(1)
    expect(await idem.run('b', () => 2)).toBe(2)
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/too old/)]])
    expect(idem.stats().failedOpen).toBe(2)
  })

  test("unless asked to: with 'reject' a server that can never work is said so, and no call is made", async () => {
    const store = testStore()
    store.acquire = () => Promise.reject(new UnsupportedServerError('too old'))
    const work = vi.fn()
    const run = createIdem({ store, logger, ifStoreFails: 'reject' }).run('key', work)
    await expect(run).rejects.toMatchObject({ code: 'IDEM_UNSUPPORTED_SERVER' })
    expect(work).not.toHaveBeenCalled()
  })
})

describe('a lost reply to acquire', () => {
  test('is asked for again, and the lock found to be ours: one execution, stored', async () => {
    const store = testStore()
    let lost = 0
    store.fault = (command) => (command === 'acquire' && lost++ === 0 ? 'lose reply' : undefined)
    const idem = createIdem({ store, logger })
    expect(await idem.runWithOutcome('key', () => 1)).toEqual({ value: 1, outcome: 'executed' })
    expect(store.sent).toEqual(['acquire', 'acquire', 'renew', 'complete'])
    expect(idem.stats().failedOpen).toBe(0)
    expect(await idem.runWithOutcome('key', () => 2)).toEqual({ value: 1, outcome: 'replayed' })
  })
})

describe('a commit that fails', () => {
  test('does not hold the answer back, and is made up for in the background', async () => {
    const shared = memoryStore()
    const store = testStore(shared)
    const commits: string[] = []
    store.fault = (command) => {
      if (command !== 'complete') return undefined
      commits.push(command)
      return commits.length <= 2 ? 'refuse' : undefined
    }
    const idem = createIdem({ store, tuning: { leaseMs: 90 }, logger })
    const made = store.answered('complete')
    expect(await idem.run('key', () => 'paid for')).toBe('paid for')
    await made
    expect(commits.length).toBe(3)
    const other = createIdem({ store: shared })
    expect(await other.runWithOutcome('key', () => 'again')).toEqual({
      value: 'paid for',
      outcome: 'replayed',
    })
  })

  test('is tried once more at once when idem closes', async () => {
    const store = testStore()
    let refuse = true
    store.fault = (command) => (command === 'complete' && refuse ? 'refuse' : undefined)
    const idem = createIdem({ store, logger })
    await idem.run('key', () => 1)
    refuse = false
    await idem.close()
    expect(store.sent.filter((command) => command === 'complete')).toHaveLength(2)
  })
})

describe('a waiter that saw an owner at work', () => {
  test('gets its answer when the store comes back within a lease', async () => {
    const shared = memoryStore()
    const flaky = testStore(shared)
    const [a, b] = [
      createIdem({ store: shared }),
      createIdem({ store: flaky, tuning: { pollMinMs: 20, pollMaxMs: 30 }, logger }),
    ]
    const release = deferred()
    const began = deferred()
    const first = a.run('key', async () => {
      began.resolve()
      await release.promise
      return 'owner'
    })
    await began.promise
    const sawLock = flaky.answered('acquire')
    const second = b.runWithOutcome('key', () => 'waiter')
    await sawLock
    let failures = 0
    const failed = deferred()
    flaky.fault = () => {
      if (++failures === 2) failed.resolve()
      return 'refuse'
    }
    await failed.promise
    flaky.fault = () => undefined
    release.resolve()
    expect(await second).toEqual({ value: 'owner', outcome: 'collapsed' })
    expect(await first).toBe('owner')
    expect(b.stats().failedOpen).toBe(0)
  })

  test('makes the call itself only after a whole lease without the store', async () => {
    const shared = memoryStore()
    const flaky = testStore(shared)
    const leaseMs = 200
    const [a, b] = [
      createIdem({ store: shared, tuning: { leaseMs } }),
      createIdem({ store: flaky, tuning: { leaseMs }, logger }),
    ]
    const release = deferred()
    const began = deferred()
    const first = a.run('key', async () => {
      began.resolve()
      await release.promise
      return 'owner'
    })
    await began.promise
    const sawLock = flaky.answered('acquire')
    let executedAt = 0
    const second = b.run('key', () => {
      executedAt = performance.now()
      return 'waiter'
    })
    await sawLock
    let failedAt = 0
    flaky.fault = () => {
      failedAt ||= performance.now()
      return 'refuse'
    }
    expect(await second).toBe('waiter')
    expect(executedAt - failedAt).toBeGreaterThanOrEqual(leaseMs)
    release.resolve()
    await first
  })
})

describe('a store that keeps failing', () => {
  test('is left alone after three failures, and used again by itself once it works', async () => {
    const time = virtualTime()
    const shared = memoryStore()
    const store = testStore(shared)
    store.fault = () => 'bug'
    const idem = createIdem({ store, logger })
    for (let call = 0; call < 20; call++) await time.until(idem.run(`key ${call}`, () => call))
    expect(store.sent.length).toBeLessThanOrEqual(4)
    store.fault = () => undefined
    await time.pass(1_000)
    await time.until(idem.run('shared again', () => 1))
    const other = createIdem({ store: shared })
    expect(await other.runWithOutcome('shared again', () => 2)).toEqual({ value: 1, outcome: 'replayed' })
  })
})

describe('a store that refuses', () => {
  test('is there: what it has is still replayed, however often it refused', async () => {
    const store = testStore()
    const idem = createIdem({ store, logger })
    await idem.run('stored', () => 1)
    store.acquire = async (...args) => {
      const found = await store.read(args[0])
      if (found.state === 'completed') return found
      throw new StoreError('OOM', { effect: 'none' })
    }
    for (let call = 0; call < 10; call++) expect(await idem.run(`key ${call}`, () => call)).toBe(call)
    expect(await idem.runWithOutcome('stored', () => 2)).toEqual({ value: 1, outcome: 'replayed' })
  })
})

describe('a store that hangs', () => {
  test('costs the first call its budget once, before the work begins; the answer waits for nothing more', async () => {
    const store = testStore()
    store.fault = () => 'hang'
    const budget = 200
    const time = virtualTime()
    const idem = createIdem({ store, tuning: { storeBudgetMs: budget }, logger })
    const work = vi.fn(() => 1)
    const run = idem.run('key', work)
    await time.pass(budget - 1)
    expect(work).not.toHaveBeenCalled()
    await time.pass(1)
    // From here on no time passes.
    expect(await run).toBe(1)
    expect(work).toHaveBeenCalledTimes(1)
  })

  test('makes impatient callers share one call all the same', async () => {
    const store = testStore()
    store.fault = () => 'hang'
    const idem = createIdem({ store, tuning: { storeBudgetMs: 150 }, logger })
    const finish = deferred()
    const work = vi.fn(async () => {
      await finish.promise
      return 'once'
    })
    for (let attempt = 0; attempt < 6; attempt++) {
      await expect(idem.run('key', work, { signal: AbortSignal.timeout(50) })).rejects.toThrow()
    }
    const patient = idem.run('key', work)
    finish.resolve()
    expect(await patient).toBe('once')
    expect(work).toHaveBeenCalledTimes(1)
  })
})

describe('a lock that was taken although its acquire was given up', () => {
  test('is released as soon as the store is back: nobody waits for it to lapse', async () => {
    const time = virtualTime()
    const shared = memoryStore()
    const store = testStore(shared)
    const leaseMs = 900
    // Each acquire arrives, and no reply does.
    store.fault = (command) => (command === 'acquire' ? 'lose reply' : 'refuse')
    const idem = createIdem({ store, tuning: { leaseMs }, logger })
    const boom = idem.run('key', () => Promise.reject(new Error('boom')))
    await expect(time.until(boom)).rejects.toThrow('boom')
    const released = store.answered('release')
    store.fault = () => undefined
    await time.pass(leaseMs / 3)
    await released
    // From here on no time passes.
    expect(await createIdem({ store: shared }).run('key', () => 'next')).toBe('next')
  })
})

describe('a part that throws', () => {
  test('as watch() of a store: waiters poll', async () => {
    const store = testStore()
    store.watch = () => {
      throw new Error('no subscriptions today')
    }
    const [a, b] = [createIdem({ store }), createIdem({ store })]
    const sawLock = store.answered('acquire', 2)
    const first = a.run('key', async () => {
      await sawLock
      return 1
    })
    expect(await b.run('key', () => 2)).toBe(1)
    expect(await first).toBe(1)
  })

  test('as a logger: calls go on', async () => {
    const idem = createIdem({
      logger: {
        warn() {
          throw new Error('disk full')
        },
      },
    })
    expect(await idem.run('key', () => 1n)).toBe(1n)
  })
})

describe('a stalled event loop', () => {
  test('is not taken for an outage: replies that arrived meanwhile are read first', async () => {
    const inner = memoryStore()
    const stalls = { left: 1 }
    const folder = mkdtempSync(join(tmpdir(), 'idem-stall-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const store = testStore(inner)
    // A reply that comes while this process is busy for longer than the budget.
    store.acquire = (...args) => {
      const found = inner.acquire(...args)
      const sign = join(folder, String(stalls.left))
      // The loop looks at its timers after an immediate, and at the reply after them.
      const replied = new Promise<void>((resolve) => {
        setImmediate(() => {
          mkdir(sign, () => resolve())
          if (stalls.left-- > 0) stall(150, () => existsSync(sign))
        })
      })
      return replied.then(() => found)
    }
    const idem = createIdem({ store, tuning: { storeBudgetMs: 50 }, logger })
    expect(await idem.run('key', () => 1)).toBe(1)
    expect(idem.stats().failedOpen).toBe(0)
  })
})

/** Blocks the event loop for this long, and until `isOver`. */
function stall(ms: number, isOver: () => boolean): void {
  const until = performance.now() + ms
  const cell = new Int32Array(new SharedArrayBuffer(4))
  do Atomics.wait(cell, 0, 0, 10)
  while (performance.now() < until || !isOver())
}
