import { describe, expect, test, vi } from 'vitest'
import { createIdem, memoryStore } from '../src/index.js'
import { payloadDigest, storeKey } from '../src/key/key.js'
import { newOwner } from '../src/store/owner.js'
import type { Claim, Store } from '../src/store.js'
import { deferred, testStore, virtualTime } from './tools.js'

const logger = { warn() {} }
const id = storeKey('run', 'default', 'key')
const fingerprint = payloadDigest(null)

/** An owner in a process that died: it holds the lock and will never say anything again. */
async function deadOwner(store: Store, leaseMs: number): Promise<Claim> {
  const claim = { owner: newOwner(), fingerprint }
  await store.acquire(id, claim, leaseMs)
  return claim
}

describe('the lease', () => {
  test('is renewed for as long as the work runs', async () => {
    const time = virtualTime()
    const store = testStore()
    const leaseMs = 90
    const [a, b] = [createIdem({ store, tuning: { leaseMs } }), createIdem({ store, tuning: { leaseMs } })]
    let finish!: (value: number) => void
    const work = vi.fn(() => new Promise<number>((resolve) => (finish = resolve)))
    const both = Promise.all([a.run('key', work), b.run('key', work)])
    await time.pass(5 * leaseMs)
    expect(store.sent.filter((command) => command === 'renew').length).toBeGreaterThanOrEqual(10)
    finish(1)
    await time.pass(1_000)
    expect(await both).toEqual([1, 1])
    expect(work).toHaveBeenCalledTimes(1)
  })

  test('of a dead owner, and a poll, is all that its waiters lose', async () => {
    const time = virtualTime()
    const store = memoryStore()
    const idem = createIdem({ store, tuning: { pollMaxMs: 500 } })
    const leaseMs = 3_000
    await deadOwner(store, leaseMs)
    const work = vi.fn(() => 'taken over')
    const run = idem.run('key', work)
    await time.pass(leaseMs - 1)
    expect(work).not.toHaveBeenCalled()
    // One poll more, since no hint tells that a lock lapsed.
    await time.pass(1 + 500)
    expect(work).toHaveBeenCalledTimes(1)
    expect(await run).toBe('taken over')
  })

  test('that was lost with the key is taken back by its owner', async () => {
    const store = testStore()
    const idem = createIdem({ store, tuning: { leaseMs: 90 } })
    const taken: string[] = []
    const renew = store.renew
    store.renew = async (...args) => {
      const answer = await renew(...args)
      taken.push(answer)
      return answer
    }
    const run = idem.run('key', async ({ signal }) => {
      await store.release(id, await currentOwner(store))
      await store.answered('renew', 2)
      return signal.aborted
    })
    expect(await run).toBe(false)
    expect(taken.slice(0, 2)).toEqual(['retaken', 'held'])
  })

  test('is given up after a renewal that is on its way, and is free then', async () => {
    const store = testStore()
    const idem = createIdem({ store, tuning: { leaseMs: 90 } })
    const [sent, late, renewed] = [deferred(), deferred(), deferred()]
    const renew = store.renew
    store.renew = async (...args) => {
      sent.resolve()
      await late.promise
      const answer = await renew(...args)
      renewed.resolve()
      return answer
    }
    const failing = async () => {
      await sent.promise
      setImmediate(late.resolve)
      throw new Error('declined')
    }
    await expect(idem.run('key', failing)).rejects.toThrow('declined')
    await renewed.promise
    expect(await store.read(id)).toEqual({ state: 'absent' })
  })
})

async function currentOwner(store: Store): Promise<string> {
  const found = await store.acquire(id, { owner: newOwner(), fingerprint }, 1)
  return found.state === 'locked' ? found.owner : ''
}

/** A and B on one store. A's renewals do not reach it, as if its process were stopped, until it resumes. */
function stalledOwner() {
  const shared = memoryStore()
  const store = testStore(shared)
  let stalled = true
  store.renew = async (...args) => (stalled ? 'held' : shared.renew(...args))
  const resume = () => {
    stalled = false
  }
  const a = createIdem({ store, tuning: { leaseMs: 120 } })
  const b = createIdem({ store: shared, tuning: { leaseMs: 120 } })
  return { a, b, resume }
}

describe('an owner whose lease lapsed', () => {
  test('is overtaken while it runs: its signal says so, and its callers get the answer that stands', async () => {
    const { a, b, resume } = stalledOwner()
    const reason = deferred<unknown>()
    const first = a.run('key', ({ signal }) => {
      signal.addEventListener('abort', () => reason.resolve(signal.reason))
      return new Promise(() => {})
    })
    expect(await b.run('key', () => 'successor')).toBe('successor')
    resume()
    expect(await first).toBe('successor')
    expect(await reason.promise).toMatchObject({ code: 'IDEM_SUPERSEDED' })
    expect(a.stats().superseded).toBe(1)
  })

  test('is overtaken and finishes all the same: its callers get the answer that stands', async () => {
    const { a, b } = stalledOwner()
    const finish = deferred()
    const first = a.runWithOutcome('key', async () => {
      await finish.promise
      return 'stale owner'
    })
    expect(await b.run('key', () => 'successor')).toBe('successor')
    finish.resolve()
    expect(await first).toEqual({ value: 'successor', outcome: 'collapsed' })
    expect(a.stats().superseded).toBe(1)
  })

  test('and finishes first wins: the successor learns of it, and all callers agree', async () => {
    const { a, b } = stalledOwner()
    const finish = deferred()
    const successorBegan = deferred()
    const reason = deferred<unknown>()
    const first = a.run('key', async () => {
      await finish.promise
      return 'first completion'
    })
    const second = b.run('key', ({ signal }) => {
      signal.addEventListener('abort', () => reason.resolve(signal.reason))
      successorBegan.resolve()
      return new Promise(() => {})
    })
    await successorBegan.promise
    finish.resolve()
    expect(await first).toBe('first completion')
    expect(await second).toBe('first completion')
    expect(await reason.promise).toMatchObject({ code: 'IDEM_SUPERSEDED' })
    expect(b.stats().superseded).toBe(1)
  })
})

describe('an owner whose key was forgotten', () => {
  test('keeps its answer to its callers, and those who waited make a call of their own at once', async () => {
    const shared = memoryStore()
    const store = testStore(shared)
    const [a, b] = [
      createIdem({ store: shared, tuning: { leaseMs: 60_000 } }),
      createIdem({ store, tuning: { leaseMs: 60_000 } }),
    ]
    const finish = deferred()
    const began = deferred()
    const first = a.run('key', async () => {
      began.resolve()
      await finish.promise
      return 'before it was forgotten'
    })
    await began.promise
    const sawLock = store.answered('acquire')
    const second = b.run('key', () => 'after it was forgotten')
    await sawLock
    expect(await shared.forget(id)).toBe(true)
    finish.resolve()
    expect(await first).toBe('before it was forgotten')
    expect(await second).toBe('after it was forgotten')
  })
})

test('an owner that lost its key and ends without a record gives the record that stands', async () => {
  const { a, b } = stalledOwner()
  const finish = deferred()
  const first = a.run<unknown>('key', async () => {
    await finish.promise
    return 1n
  })
  expect(await b.run('key', () => 'successor')).toBe('successor')
  finish.resolve()
  expect(await first).toBe('successor')
})

describe('limits in time', () => {
  test('work over maxExecutionMs is given up: its signal is aborted, its lock free', async () => {
    const store = testStore()
    const idem = createIdem({ store, tuning: { maxExecutionMs: 50 } })
    let told: unknown
    const run = idem.run('key', ({ signal }) => {
      signal.addEventListener('abort', () => {
        told = signal.reason
      })
      return new Promise(() => {})
    })
    await expect(run).rejects.toMatchObject({ code: 'IDEM_EXECUTION_TIMEOUT', status: 504 })
    expect(told).toMatchObject({ code: 'IDEM_EXECUTION_TIMEOUT' })
    expect(await idem.run('key', () => 'next')).toBe('next')
  })

  test('a wait over maxWaitMs ends with IDEM_WAIT_TIMEOUT, and leaves the owner its lock', async () => {
    const store = memoryStore()
    const { owner } = await deadOwner(store, 60_000)
    const work = vi.fn()
    const run = createIdem({ store, tuning: { maxWaitMs: 80 } }).run('key', work)
    await expect(run).rejects.toMatchObject({ code: 'IDEM_WAIT_TIMEOUT', status: 504 })
    expect(work).not.toHaveBeenCalled()
    expect(await currentOwner(store)).toBe(owner)
  })

  test("a wait over maxWaitMs makes the call under ifWaitTimesOut: 'execute', and leaves the owner its lock", async () => {
    const store = memoryStore()
    const { owner } = await deadOwner(store, 60_000)
    const idem = createIdem({ store, tuning: { maxWaitMs: 80 }, ifWaitTimesOut: 'execute' })
    expect(await idem.runWithOutcome('key', () => 1)).toEqual({ value: 1, outcome: 'executed' })
    expect(await currentOwner(store)).toBe(owner)
  })
})

describe('a record that cannot be read', () => {
  test.each([
    ['was not written by idem', Buffer.from('garbage')],
    ['was cut short', Buffer.from('{"v":1,"kind":"json","ttlMs":1,"facts":{},"bytes":5}\n"a')],
    ['is whole but of another kind', Buffer.from('{"v":1,"kind":"http","ttlMs":1,"facts":{},"bytes":2}\n{}')],
    ['is whole but does not decode', Buffer.from('{"v":1,"kind":"json","ttlMs":1,"facts":{},"bytes":1}\n{')],
  ])('because it %s is replaced by a new answer, with one warning', async (_, bytes) => {
    const store = memoryStore()
    await store.complete(id, { owner: newOwner(), fingerprint }, bytes, 60_000)
    const warn = vi.fn()
    const idem = createIdem({ store, logger: { warn } })
    expect(await idem.runWithOutcome('key', () => 'new')).toEqual({ value: 'new', outcome: 'executed' })
    expect(await idem.runWithOutcome('key', () => 'newer')).toEqual({ value: 'new', outcome: 'replayed' })
    expect(warn).toHaveBeenCalledTimes(1)
  })

  test('because a newer idem wrote it is left alone: calls are made, not stored, with one warning', async () => {
    const store = testStore()
    const bytes = Buffer.from('{"v":2}\nfrom the future')
    await store.complete(id, { owner: newOwner(), fingerprint }, bytes, 60_000)
    store.sent.length = 0
    const warn = vi.fn()
    const idem = createIdem({ store, logger: { warn } })
    expect(await idem.run('key', () => 1)).toBe(1)
    expect(await idem.run('key', () => 2)).toBe(2)
    expect(store.sent).toEqual(['acquire', 'acquire'])
    expect(warn).toHaveBeenCalledTimes(1)
  })

  test('does not loop where the store cannot replace it', async () => {
    const store = testStore()
    await store.complete(id, { owner: newOwner(), fingerprint }, Buffer.from('garbage'), 60_000)
    const acquire = store.acquire
    store.acquire = (key, claim, leaseMs) => acquire(key, claim, leaseMs)
    expect(await createIdem({ store, logger }).run('key', () => 1)).toBe(1)
  })
})
