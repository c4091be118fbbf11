import { describe, expect, test, vi } from 'vitest'
import { createIdem, type RunOptions, UnsupportedServerError } from '../src/index.js'
import { controlled, deferred, testStore } from './tools.js'

const logger = { warn() {} }
const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })

describe('a caller whose promise is stricter', () => {
  test.each<RunOptions>([{ ifStoreFails: 'reject' }, { ifOwnerLost: 'reject' }])(
    'is not given the answer of a call that went on without the store: %j',
    async (strict) => {
      const store = testStore()
      store.fault = () => 'refuse'
      const idem = createIdem({ store, logger })
      const { work, began, finish } = controlled('without a lock')
      const lax = idem.run('key', work)
      await began
      const effect = vi.fn()
      const run = idem.run('key', effect, strict)
      await expect(run).rejects.toMatchObject({ code: 'IDEM_STORE_UNAVAILABLE' })
      expect(effect).not.toHaveBeenCalled()
      finish()
      expect(await lax).toBe('without a lock')
    },
  )

  test('shares a call that holds the lock, by way of the store', async () => {
    const idem = createIdem({
      tuning: { pollMaxMs: 50 },
    })
    const { work, began, finish } = controlled('locked')
    const lax = idem.run('key', work)
    await began
    const strict = idem.run('key', work, { ifStoreFails: 'reject' })
    finish()
    expect(await strict).toBe('locked')
    expect(await lax).toBe('locked')
    expect(work).toHaveBeenCalledTimes(1)
  })
})

describe('work that would wait for itself', () => {
  test('by way of another key is told, and the other work goes on', async () => {
    const idem = createIdem()
    const [xBegan, yBegan] = [deferred(), deferred()]
    const x = idem.run('x', async () => {
      xBegan.resolve()
      await yBegan.promise
      return idem.run('y', () => 'y made by x')
    })
    const y = idem.run('y', async () => {
      yBegan.resolve()
      await xBegan.promise
      return idem.run('x', () => 'x made by y').catch((error) => error.code)
    })
    const ends = await Promise.allSettled([x, y])
    const told = ends.filter((end) => JSON.stringify(end).includes('IDEM_INVALID_ARGUMENT'))
    expect(told.length).toBeGreaterThan(0)
  })

  test('by way of three keys and two idems is told', async () => {
    const [one, other] = [createIdem(), createIdem()]
    const run = one.run('a', () => other.run('b', () => one.run('c', () => other.run('a-', () => 1))))
    expect(await run).toBe(1)
    const [aBegan, bBegan, cBegan] = [deferred(), deferred(), deferred()]
    const all = Promise.all([aBegan.promise, bBegan.promise, cBegan.promise])
    const ring = [
      one.run('1', async () => {
        aBegan.resolve()
        await all
        return other.run('2', () => 0)
      }),
      other.run('2', async () => {
        bBegan.resolve()
        await all
        return one.run('3', () => 0)
      }),
      one.run('3', async () => {
        cBegan.resolve()
        await all
        return one.run('1', () => 0)
      }),
    ]
    const ends = await Promise.allSettled(ring)
    for (const end of ends) expect(end).toEqual({ status: 'rejected', reason: invalid })
  })

  test('is only told while it runs: what it started may ask later', async () => {
    const idem = createIdem()
    const go = deferred()
    let asking = Promise.resolve(0)
    await idem.run('key', () => {
      asking = go.promise.then(() => idem.run('key', () => 2))
      return 1
    })
    go.resolve()
    expect(await asking).toBe(1)
  })

  test('is only told while it waits: the other way round is possible later', async () => {
    const idem = createIdem()
    expect(await idem.run('x', () => idem.run('y', () => 1))).toBe(1)
    await Promise.all(['x', 'y'].map((key) => idem.forget(key)))
    expect(await idem.run('y', () => idem.run('x', () => 2))).toBe(2)
  })

  test('two that ask for the same key do not wait for each other', async () => {
    const idem = createIdem()
    const both = ['x', 'y'].map((key) => idem.run(key, () => idem.run('shared', () => 1)))
    expect(await Promise.all(both)).toEqual([1, 1])
    expect(await idem.run('shared', () => idem.run('x', () => 2))).toBe(1)
  })
})

describe('close() that work asks for', () => {
  test('resolves at once, refuses new calls, and lets go of the store when the work has ended', async () => {
    const store = testStore()
    const closed = vi.spyOn(store, 'close')
    const idem = createIdem({ store })
    const value = await idem.run('key', async () => {
      await idem.close()
      expect(closed).not.toHaveBeenCalled()
      return 'ended'
    })
    expect(value).toBe('ended')
    await expect(idem.run('other', () => 1)).rejects.toMatchObject({ code: 'IDEM_CLOSED' })
    await idem.close()
    expect(closed).toHaveBeenCalledTimes(1)
    expect(store.sent).toContain('complete')
  })

  test('of another idem waits for that one', async () => {
    const [outer, inner] = [createIdem(), createIdem()]
    const { work, began, finish } = controlled(1)
    const running = inner.run('key', work)
    await began
    let isClosed = false
    const run = outer.run('key', async () => {
      const closing = inner.close().then(() => {
        isClosed = true
      })
      expect(isClosed).toBe(false)
      finish()
      await closing
    })
    await run
    expect(isClosed).toBe(true)
    await running
  })
})

describe('ready()', () => {
  test('resolves where every command works, and leaves nothing behind', async () => {
    const store = testStore()
    const touched = new Set<string>()
    const acquire = store.acquire
    store.acquire = (key, ...args) => {
      touched.add(key)
      return acquire(key, ...args)
    }
    await createIdem({ store }).ready()
    for (const command of [
      'acquire',
      'renew',
      'complete',
      'release',
      'leaveNote',
      'readNote',
      'read',
      'append',
      'tail',
    ])
      expect(store.sent).toContain(command)
    for (const key of touched) expect(await store.read(key)).toEqual({ state: 'absent' })
  })

  test.each([
    'acquire',
    'renew',
    'complete',
    'release',
    'leaveNote',
    'readNote',
    'read',
    'append',
    'tail',
  ] as const)('names %s where it is refused', async (command) => {
    const store = testStore()
    store.fault = (one) => (one === command ? 'forbid' : undefined)
    await expect(createIdem({ store, logger }).ready()).rejects.toMatchObject({
      code: 'IDEM_STORE_UNAVAILABLE',
      message: expect.stringContaining(`${command} is forbidden`),
    })
  })

  test.each(['forget', 'report', 'reports'] as const)('finds that %s fails', async (command) => {
    const store = testStore()
    Object.assign(store, { [command]: () => Promise.reject(new Error('broken')) })
    await expect(createIdem({ store, logger }).ready()).rejects.toMatchObject({
      code: 'IDEM_STORE_UNAVAILABLE',
    })
  })

  test('finds that hints do not arrive', async () => {
    const store = testStore()
    store.watch = () => ({ ready: Promise.resolve(), stop() {} })
    await expect(createIdem({ store, tuning: { storeBudgetMs: 20 }, logger }).ready()).rejects.toMatchObject({
      code: 'IDEM_STORE_UNAVAILABLE',
      message: expect.stringContaining('Hints do not arrive'),
    })
  })

  test('rejects within its budgets where the store does not answer', async () => {
    const store = testStore()
    store.fault = () => 'hang'
    const ready = createIdem({ store, tuning: { storeBudgetMs: 20 }, logger }).ready()
    await expect(ready).rejects.toMatchObject({ code: 'IDEM_STORE_UNAVAILABLE' })
  })

  test('says that a server is too old', async () => {
    const store = testStore()
    store.acquire = () => Promise.reject(new UnsupportedServerError('too old'))
    await expect(createIdem({ store }).ready()).rejects.toMatchObject({ code: 'IDEM_UNSUPPORTED_SERVER' })
  })

  test('is refused once idem is closed', async () => {
    const idem = createIdem()
    await idem.close()
    await expect(idem.ready()).rejects.toMatchObject({ code: 'IDEM_CLOSED' })
  })
})

describe('a waiter', () => {
  test('asks for a lease for a lock that outlives its own, in case it has none', async () => {
    const store = testStore()
    const digest = deferred<string>()
    await createIdem().run('key', ({ idempotencyKey: key }) => digest.resolve(key))
    const idem = createIdem({ store, tuning: { leaseMs: 40, pollMinMs: 5, pollMaxMs: 10 } })
    const fingerprint = await new Promise<string>((resolve) => {
      const acquire = store.acquire
      store.acquire = (key, claim, ...rest) => {
        resolve(claim.fingerprint)
        store.acquire = acquire
        return acquire(key, claim, ...rest)
      }
      void idem.run('fingerprint', () => 1)
    })
    // Its owner is gone and its lease never lapses, until a waiter asks for one.
    let isMended = false
    store.acquire = async (key, claim) =>
      isMended && key === (await digest.promise)
        ? { state: 'acquired' }
        : {
            state: 'locked',
            owner: 'gone',
            fingerprint: claim.fingerprint === fingerprint ? fingerprint : '',
          }
    store.renew = async () => {
      isMended = true
      return 'lost'
    }
    expect(await idem.run('key', () => 'mine')).toBe('mine')
  })
})
