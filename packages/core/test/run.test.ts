import { describe, expect, test, vi } from 'vitest'
import { createIdem, type IdemOptions, memoryStore, type RunOptions } from '../src/index.js'
import type { Store } from '../src/store.js'
import { deaf, deferred, testStore } from './tools.js'
import { toyDialect } from './toy-dialect.js'

/** Two idems on one store stand for two processes: they share nothing else. */
function two(store: Store = memoryStore()) {
  return [createIdem({ store }), createIdem({ store })] as const
}

describe('duplicates', () => {
  test('of one process share one execution, and each gets a copy of its own', async () => {
    const store = testStore()
    const idem = createIdem({ store })
    const work = vi.fn(async () => ({ text: 'hello', list: [1, 2] }))
    const values = await Promise.all(Array.from({ length: 1000 }, () => idem.run('key', work)))
    expect(work).toHaveBeenCalledTimes(1)
    expect(new Set(values).size).toBe(1000)
    for (const value of values) expect(value).toStrictEqual({ text: 'hello', list: [1, 2] })
    expect(store.sent).toEqual(['acquire', 'complete'])
  })

  test('of two processes share one execution; the one that waits is told it collapsed', async () => {
    const [a, b] = two()
    const release = deferred()
    const began = deferred()
    const first = a.runWithOutcome('key', async () => {
      began.resolve()
      await release.promise
      return 'answer'
    })
    await began.promise
    const second = b.runWithOutcome('key', () => 'another answer')
    release.resolve()
    expect(await first).toEqual({ value: 'answer', outcome: 'executed' })
    expect(await second).toEqual({ value: 'answer', outcome: 'collapsed' })
  })

  test('find the answer by polling alone when no hint ever arrives', async () => {
    const store = testStore()
    const [a, b] = [createIdem({ store }), createIdem({ store: deaf(store) })]
    const sawLock = store.answered('acquire', 2)
    const first = a.run('key', async () => {
      await sawLock
      return 1
    })
    const second = b.runWithOutcome('key', () => 2)
    expect(await second).toEqual({ value: 1, outcome: 'collapsed' })
    expect(await first).toBe(1)
  })

  test('that come later are answered from the record until its ttl is over', async () => {
    const [a, b] = two()
    let calls = 0
    const work = () => ++calls
    expect(await a.runWithOutcome('key', work, { ttl: 60_000 })).toEqual({ value: 1, outcome: 'executed' })
    expect(await b.runWithOutcome('key', work)).toEqual({ value: 1, outcome: 'replayed' })
    expect(await a.run('short', () => 'first', { ttl: 50 })).toBe('first')
    const isOver = async () => expect(await b.run('short', () => 'second')).toBe('second')
    await vi.waitFor(isOver, { timeout: 10_000, interval: 10 })
  })

  test.each([[null], [false], [0], [''], [undefined], [[]], [{}], [{ a: { b: [null] } }], ['\ud800']])(
    'replay %j as it was',
    async (value) => {
      const [a, b] = two()
      const work = vi.fn(() => value)
      expect(await a.run('key', work)).toStrictEqual(value)
      expect(await b.run('key', work)).toStrictEqual(value)
      expect(await a.run('key', work)).toStrictEqual(value)
      expect(work).toHaveBeenCalledTimes(1)
    },
  )

  test('do not meet across scopes', async () => {
    const idem = createIdem()
    expect(await idem.run('key', () => 1, { scope: 'tenant a' })).toBe(1)
    expect(await idem.run('key', () => 2, { scope: 'tenant b' })).toBe(2)
    expect(await idem.run('key', () => 3)).toBe(3)
  })

  test('are known by what the key and fingerprint were before the work ran', async () => {
    const idem = createIdem()
    const payload = { items: ['a'] }
    const work = () => {
      payload.items.push('changed by the work')
      return 'done'
    }
    await idem.run('key', work, { fingerprint: payload })
    const again = await idem.runWithOutcome('key', work, { fingerprint: { items: ['a'] } })
    expect(again).toEqual({ value: 'done', outcome: 'replayed' })
  })
})

describe('a key given for another request', () => {
  test('is refused when a record stands, while a call runs here, and while it runs elsewhere', async () => {
    const [a, b] = two()
    const reused = expect.objectContaining({ code: 'IDEM_KEY_REUSED', status: 422 })
    const release = deferred()
    const began = deferred()
    const first = a.run(
      'key',
      async () => {
        began.resolve()
        await release.promise
        return 1
      },
      { fingerprint: 'one' },
    )
    await began.promise
    const work = vi.fn()
    await expect(a.run('key', work, { fingerprint: 'two' })).rejects.toThrow(reused)
    await expect(b.run('key', work, { fingerprint: 'two' })).rejects.toThrow(reused)
    release.resolve()
    expect(await first).toBe(1)
    await expect(b.run('key', work, { fingerprint: 'two' })).rejects.toThrow(reused)
    expect(work).not.toHaveBeenCalled()
    expect(await b.run('key', work, { fingerprint: 'one' })).toBe(1)
  })
})

test('a key given for two requests at once: the one it stands for is answered, the other refused', async () => {
  const idem = createIdem()
  await idem.run('key', () => 'answer', { fingerprint: 1 })
  const [wrong, right] = await Promise.allSettled([
    idem.run('key', () => 'x', { fingerprint: 2 }),
    idem.run('key', () => 'x', { fingerprint: 1 }),
  ])
  expect(right).toMatchObject({ value: 'answer' })
  expect(wrong).toMatchObject({ reason: { code: 'IDEM_KEY_REUSED' } })
})

describe('a rejection', () => {
  const boom = Object.assign(new RangeError('boom'), { code: 'E_BOOM' })

  test('reaches local duplicates as it is, other processes by name, message and code, and is not stored', async () => {
    const store = testStore()
    const [a, b] = two(store)
    const fail = deferred()
    const began = deferred()
    const work = vi.fn(async () => {
      began.resolve()
      await fail.promise
      throw boom
    })
    const local = [a.run('key', work), a.run('key', work)]
    await began.promise
    const sawLock = store.answered('acquire')
    const waiter = b.run('key', () => 'not called')
    const told = expect(waiter).rejects.toMatchObject({
      code: 'IDEM_EXECUTION_FAILED',
      failure: { name: 'RangeError', message: 'boom', code: 'E_BOOM' },
    })
    await sawLock
    fail.resolve()
    for (const one of local) await expect(one).rejects.toBe(boom)
    await told
    expect(work).toHaveBeenCalledTimes(1)
    expect(await b.run('key', () => 'next')).toBe('next')
  })

  test.each([[Object.create(null)], [undefined], ['text'], [{ message: { toString: () => boom } }]])(
    'with anything at all (%#) is handed on as it is, and frees the key',
    async (thrown) => {
      const [a, b] = two()
      await expect(a.run('key', () => Promise.reject(thrown))).rejects.toBe(thrown)
      expect(await b.run('key', () => 'next')).toBe('next')
    },
  )

  test('thrown before any promise is a rejection too', async () => {
    const idem = createIdem()
    const thrown = idem.run('key', () => {
      throw boom
    })
    await expect(thrown).rejects.toBe(boom)
  })
})

describe('what JSON cannot hold', () => {
  test.each([
    ['a Date', () => ({ at: new Date(0) })],
    ['a Map', () => new Map([['a', 1]])],
    ['a BigInt', () => 1n],
    ['NaN', () => Number.NaN],
    ['-0', () => -0],
    ['an array with members', () => Object.assign([1], { index: 2 })],
  ])(
    '%s is returned as it is, copied to local duplicates, not stored, and warned about once',
    async (_, make) => {
      const warn = vi.fn()
      const store = testStore()
      const idem = createIdem({ store, logger: { warn } })
      const work = vi.fn(async () => make())
      const [first, second] = await Promise.all([
        idem.run<unknown>('key', work),
        idem.run<unknown>('key', work),
      ])
      expect(first).toStrictEqual(make())
      expect(second).toStrictEqual(make())
      if (typeof first === 'object') expect(second).not.toBe(first)
      expect(work).toHaveBeenCalledTimes(1)
      await idem.run('key', work)
      expect(work).toHaveBeenCalledTimes(2)
      expect(store.sent).not.toContain('complete')
      expect(warn).toHaveBeenCalledTimes(1)
    },
  )

  test('a value that cannot be copied makes every duplicate run its own, side by side', async () => {
    const idem = createIdem({ logger: { warn() {} } })
    const work = vi.fn(async () => ({ close() {} }))
    const values = await Promise.all([idem.run('key', work), idem.run('key', work), idem.run('key', work)])
    expect(new Set(values).size).toBe(3)
    expect(work).toHaveBeenCalledTimes(3)
  })

  test('makes waiters of other processes run at once, not one after another', async () => {
    const store = testStore()
    const idems = Array.from({ length: 4 }, () => createIdem({ store, logger: { warn() {} } }))
    const all = deferred()
    let running = 0
    const release = deferred()
    const began = deferred()
    const first = idems[0]!.run('key', async () => {
      began.resolve()
      await release.promise
      return 1n
    })
    await began.promise
    const allSawLock = store.answered('acquire', 3)
    const others = idems.slice(1).map((idem) =>
      idem.run('key', async () => {
        if (++running === 3) all.resolve()
        await all.promise // Settles only if all three run at the same time.
        return 1n
      }),
    )
    await allSawLock
    release.resolve()
    expect(await Promise.all([first, ...others])).toEqual([1n, 1n, 1n, 1n])
  })

  test('an answer over the limit is shared here, and not stored', async () => {
    const store = testStore()
    const idem = createIdem({ store, tuning: { maxRecordBytes: 100 }, logger: { warn() {} } })
    const work = vi.fn(async () => 'x'.repeat(200))
    await Promise.all([idem.run('key', work), idem.run('key', work)])
    expect(work).toHaveBeenCalledTimes(1)
    expect(store.sent).not.toContain('complete')
  })
})

describe('bad input', () => {
  const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })
  const work = vi.fn()

  test.each<[string, string, RunOptions]>([
    ['an empty key', '', {}],
    ['a key over 1 KiB', 'é'.repeat(513), {}],
    ['a key that is not a string', 7 as unknown as string, {}],
    ['a ttl of 0', 'k', { ttl: 0 }],
    ['a negative ttl', 'k', { ttl: -1 }],
    ['a ttl of NaN', 'k', { ttl: Number.NaN }],
    ['a ttl without a unit', 'k', { ttl: '90' as never }],
    ['a ttl of an unknown name', 'k', { ttl: 'chats' as never }],
    ['a ttl of a month', 'k', { ttl: '31d' }],
    ['an invalid ttl', 'k', { ttl: {} as never }],
    ['an endless ttl', 'k', { ttl: Number.POSITIVE_INFINITY }],
    ['an empty scope', 'k', { scope: '' }],
    ['a fingerprint JSON cannot hold', 'k', { fingerprint: new Map() }],
    ['an unknown option', 'k', { tll: 5 } as object],
    ['an invalid signal', 'k', { signal: {} as AbortSignal }],
    ['a refresh that is neither', 'k', { refresh: 1 as never }],
    ['an unknown way out of a lost owner', 'k', { ifOwnerLost: 'retry' as never }],
    ['an effect without a store', 'k', { ifOwnerLost: 'reject', ifStoreFails: 'execute' }],
  ])('%s is refused before the store is asked and the work runs', async (_, key, options) => {
    const store = testStore()
    const idem = createIdem({ store })
    await expect(idem.run(key, work, options)).rejects.toThrow(invalid)
    expect(work).not.toHaveBeenCalled()
    expect(store.sent).toEqual([])
  })

  test('a key of exactly 1 KiB is fine', async () => {
    expect(await createIdem().run('k'.repeat(1024), () => 1)).toBe(1)
  })

  test('work that is not a function is refused', async () => {
    await expect(createIdem().run('k', 5 as never)).rejects.toThrow(invalid)
  })

  test.each([
    ['a store that lacks a method', { store: { ...testStore(), renew: undefined } as never }],
    ['a store with half of an ability', { store: { ...testStore(), tail: undefined } as never }],
    ['a store of another version', { store: { ...testStore(), specVersion: 2 } as never }],
    ['a store that does not say its version', { store: { ...testStore(), specVersion: undefined } as never }],
    ['a dialect of another version', { dialects: [{ ...toyDialect, specVersion: 2 }] as never }],
    ['a store that is a client', { store: { get() {}, set() {} } as never }],
    ['a ttl of 0', { ttl: 0 }],
    ['a lease that is not a number', { tuning: { leaseMs: '5s' as never } }],
    ['an unknown policy', { ifStoreFails: 'maybe' as never }],
    ['an unknown option', { stor: memoryStore() } as never],
    ['dialects that are no list', { dialects: toyDialect as never }],
    ['a list of dialects in a list', { dialects: [[toyDialect]] as never }],
    ['a dialect that lacks a method', { dialects: [{ ...toyDialect, assess: undefined }] as never }],
    [
      'a dialect that names no credentials',
      { dialects: [{ ...toyDialect, credentialHeaders: undefined }] as never },
    ],
    ['streams that cannot be followed', { dialects: [{ ...toyDialect, streams: {} }] as never }],
    ['a logger without warn', { logger: { info() {} } as never }],
  ])('createIdem refuses %s', (_, options) => {
    expect(() => createIdem(options)).toThrow(invalid)
  })

  test('whatever is given for an option, it is taken or refused with a typed error that names it', () => {
    const names = knownOptions({ nonsense: 1 } as never)
    const tuningNames = knownOptions({ tuning: { nonsense: 1 } as never })
    expect(names).toContain('ifStoreFails')
    expect(tuningNames).toContain('leaseMs')
    const bare = Object.create(null)
    const values = [
      null,
      Number.NaN,
      -1,
      0,
      1.5,
      1e99,
      '',
      'x',
      true,
      [],
      [1],
      {},
      bare,
      Symbol('s'),
      1n,
      () => {},
    ]
    const assertTakenOrRefused = (name: string, options: IdemOptions) => {
      try {
        createIdem(options)
      } catch (error) {
        expect(error, `${name}: ${JSON.stringify(options, (_, value) => String(value))}`).toEqual(invalid)
        expect((error as Error).message).toContain(name)
      }
    }
    for (const value of values) {
      for (const name of names) assertTakenOrRefused(name, { [name]: value } as IdemOptions)
      for (const name of tuningNames) assertTakenOrRefused(name, { tuning: { [name]: value } } as IdemOptions)
    }
  })

  test('the refusal of an incomplete store names what is missing', () => {
    const store = { ...testStore(), renew: undefined, leaveNote: undefined } as never
    expect(() => createIdem({ store })).toThrow(/renew, leaveNote/)
  })
})

/** The names of all options of createIdem, as its refusal of an unknown one lists them. */
function knownOptions(options: IdemOptions): string[] {
  try {
    createIdem(options)
  } catch (error) {
    return /Known: (.*)\.$/.exec((error as Error).message)![1]!.split(', ')
  }
  throw new Error('an unknown option was not refused')
}
