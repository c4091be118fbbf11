import { describe, expect, test, vi } from 'vitest'
import { createIdem, memoryStore, StoreError } from '../src/index.js'
import type { Store } from '../src/store.js'
import { STORE_METHODS } from '../src/store.js'

/** Replies that a store with a bug may give. */
const odd: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'acquired'],
  ['an empty object', {}],
  ['another state', { state: 'maybe' }],
  ['a lock without an owner', { state: 'locked' }],
  ['a record without bytes', { state: 'completed', record: { owner: 'o', fingerprint: 'f', storedAtMs: 1 } }],
  [
    'bytes as a list',
    { state: 'completed', record: { owner: 'o', fingerprint: 'f', storedAtMs: 1, bytes: [1] } },
  ],
  ['a number', Number.NaN],
]

function idemOn(change: Partial<Record<keyof Store, unknown>>, storeBudgetMs = 60) {
  const warn = vi.fn()
  const real = memoryStore()
  const store = new Proxy({} as Store, {
    get(_, name: keyof Store) {
      const member = change[name] ?? real[name]
      return typeof member === 'function' && !change[name] ? (member as () => unknown).bind(real) : member
    },
  })
  return { warn, idem: createIdem({ store, tuning: { storeBudgetMs }, logger: { warn } }) }
}

describe('a store that answers what its contract does not allow', () => {
  test.each(odd)('with %s to a look: the call is made, and the store’s fault told', async (_, reply) => {
    const { idem, warn } = idemOn({ acquire: async () => reply })
    const work = vi.fn(() => 'answer')
    expect(await idem.run('key', work)).toBe('answer')
    expect(work).toHaveBeenCalledTimes(1)
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/acquire\(\) of the store answered/))
    await idem.close()
  })

  test.each(odd)('with %s to a commit: the caller has its answer all the same', async (_, reply) => {
    const { idem } = idemOn({ complete: async () => reply })
    expect(await idem.run('key', () => 'answer')).toBe('answer')
    await idem.close()
  })

  test.each(['acquire', 'complete', 'renew', 'release', 'leaveNote', 'readNote', 'read'] as const)(
    'or throws at once in %s(): no caller hears of it',
    async (name) => {
      const thrown = () => {
        throw new Error('not today')
      }
      const { idem } = idemOn({ [name]: thrown })
      expect(await idem.run('key', () => 'answer')).toBe('answer')
      await expect(idem.run('fails', () => Promise.reject(new Error('boom')))).rejects.toThrow('boom')
      await idem.close()
    },
  )

  test('has no part in effects that must not be made twice: they are refused with a typed error', async () => {
    const { idem } = idemOn({ acquire: async () => undefined })
    const work = vi.fn()
    await expect(idem.run('key', work, { ifStoreFails: 'reject' })).rejects.toMatchObject({
      code: 'IDEM_STORE_UNAVAILABLE',
    })
    expect(work).not.toHaveBeenCalled()
  })
})

test('a server that is loading its data is asked again within the budget, and nothing is made twice', async () => {
  const real = memoryStore()
  let left = 3
  const acquire: Store['acquire'] = async (...args) => {
    if (left-- > 0) throw new StoreError('LOADING', { effect: 'none', refused: 'LOADING', isPassing: true })
    return real.acquire(...args)
  }
  const { idem } = idemOn({ acquire }, 20_000)
  expect(await idem.run('key', () => 'answer')).toBe('answer')
  expect(idem.stats()).toMatchObject({ executed: 1, failedOpen: 0 })
})

test.each<[string, () => unknown]>([
  ['gives nothing', () => undefined],
  ['gives a watch without ready', () => ({ stop() {} })],
  [
    'throws',
    () => {
      throw new Error('no second connection')
    },
  ],
  ['is never ready', () => ({ ready: Promise.reject(new Error('no second connection')), stop() {} })],
])('a watch() that %s is told once: callers that wait look by themselves', async (_, watch) => {
  const store = Object.assign(Object.create(null), memoryStoreHandle(), { watch }) as Store
  const warn = vi.fn()
  const [owner, waiter] = [0, 1].map(() => createIdem({ store, tuning: { pollMaxMs: 60 }, logger: { warn } }))
  let finish = () => {}
  const began = new Promise<void>((resolve) => {
    void owner!.run('key', () => {
      resolve()
      return new Promise<string>((done) => {
        finish = () => done('answer')
      })
    })
  })
  await began
  const waiting = waiter!.run('key', () => 'another')
  await vi.waitFor(() => expect(warn).toHaveBeenCalled(), { timeout: 20_000 })
  finish()
  expect(await waiting).toBe('answer')
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/Hints of the store cannot be had/)]])
})

/** All methods of a memory store, as members of a plain object. */
function memoryStoreHandle(): Record<string, unknown> {
  const store = memoryStore() as unknown as Record<string, (...args: never[]) => unknown>
  const methods = STORE_METHODS.required.map((name) => [name, store[name]!.bind(store)])
  return { specVersion: store.specVersion, ...Object.fromEntries(methods) }
}
