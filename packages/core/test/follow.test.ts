import { describe, expect, test, vi } from 'vitest'
import { createIdem, type IdemOptions, memoryStore } from '../src/index.js'
import type { Hint } from '../src/store/store.js'
import type { Store } from '../src/store.js'
import { askToy, ToyCall } from './toy-dialect.js'

vi.setConfig({ testTimeout: 60_000 })

/** Long enough for any load of the machine. */
const until = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000, interval: 5 })

const bytes = (text: string) => Buffer.from(text)

/** One process, whose upstream calls the test controls. */
function toy(options: IdemOptions) {
  const warnings: string[] = []
  const logger = { warn: (line: string) => void warnings.push(line) }
  const idem = createIdem({
    logger,
    ...options,
    tuning: { pollMinMs: 5, pollMaxMs: 20, liveBatchMs: 1, ...options.tuning },
  })
  const calls: ToyCall[] = []
  const send = (signal: AbortSignal) => {
    const call = new ToyCall(signal)
    calls.push(call)
    return call.response
  }
  return {
    calls,
    warnings,
    ask: (stream: boolean, about = {}) => askToy(idem, { stream, ...about }, send),
    refresh: () => askToy(idem, { stream: true }, send, undefined, { refresh: true }),
  }
}

async function readerOf(response: Response | Promise<Response>) {
  const reader = (await response).body!.pipeThrough(new TextDecoderStream()).getReader()
  return {
    next: async () => (await reader.read()).value,
    cancel: () => reader.cancel(),
    /** Reads the rest, and how it ends. */
    async rest() {
      let text = ''
      try {
        for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value
        return { text, end: 'clean' }
      } catch (error) {
        return { text, end: (error as { code: string }).code, says: (error as Error).message }
      }
    },
  }
}

/** The memory store as one process reaches it. `change` alters what this process alone sees. */
function handleOf(store: Store, change: Partial<Store> = {}): Store {
  return new Proxy(store, {
    get: (_, name: keyof Store) =>
      change[name] ??
      (typeof store[name] === 'function' ? (store[name] as () => unknown).bind(store) : store[name]),
  })
}

/** An owner that streams, and a follower in another process that has its first bytes. */
async function followed(
  change: (store: Store) => Partial<Store> = () => ({}),
  options: IdemOptions = {},
  store = memoryStore(),
) {
  const owner = toy({ store, ...options })
  const listeners: ((hint: Hint) => void)[] = []
  let key = ''
  const changed = handleOf(store, {
    watch(id, listener) {
      key = id
      listeners.push(listener)
      return store.watch!(id, listener)
    },
    ...change(store),
  })
  const follower = toy({ store: changed, ...options })
  const first = owner.ask(true)
  await until(() => expect(owner.calls).toHaveLength(1))
  owner.calls[0]!.send('abc')
  const mine = await readerOf(first)
  expect(await mine.next()).toBe('abc')
  const reader = await readerOf(follower.ask(true))
  expect(await reader.next()).toBe('abc')
  const standing = (await store.read(key)) as { owner: string; fingerprint: string }
  const headBytes = (await store.tail!(key, standing.owner, 0))!.byteLength - 3
  return {
    store,
    owner,
    follower,
    mine,
    reader,
    key,
    claim: { owner: standing.owner, fingerprint: standing.fingerprint },
    call: owner.calls[0]!,
    /** A message on the key's channel that says that the log has these bytes after so many of the answer. */
    forge: (at: number, text: string) =>
      listeners.at(-1)!({ type: 'live', owner: standing.owner, offset: headBytes + at, bytes: bytes(text) }),
  }
}

describe('what a follower was given', () => {
  test('by a forged hint is not taken for the answer: it ends as interrupted, with a message that says so', async () => {
    const { call, reader, forge, follower } = await followed()
    forge(3, 'XYZ')
    expect(await reader.next()).toBe('XYZ')
    call.send('def.')
    call.end()
    const { end, says } = await reader.rest()
    expect(end).toBe('IDEM_STREAM_INTERRUPTED')
    expect(says).toMatch(/changed on its way/)
    // The answer itself is not damaged.
    expect(await (await follower.ask(true)).text()).toBe('abcdef.')
    expect(follower.calls).toHaveLength(0)
    expect(follower.warnings.filter((line) => line.includes('not what its process wrote'))).toHaveLength(1)
  })

  test('by a forged hint that ends the answer is not taken for it either', async () => {
    const { call, reader, forge } = await followed()
    forge(3, 'XYZ.')
    expect(await reader.next()).toBe('XYZ.')
    call.send('d.')
    call.end()
    expect((await reader.rest()).end).toBe('IDEM_STREAM_INTERRUPTED')
  })

  test('is not touched by a forged hint about bytes it has already', async () => {
    const { call, reader, forge, follower } = await followed()
    forge(0, 'XYZW')
    forge(-1_000_000, 'XYZW')
    forge(0.5, 'XYZW')
    forge(Number.NaN, 'XYZW')
    forge(1_000_000, 'XYZW')
    call.send('def.')
    call.end()
    expect(await reader.rest()).toEqual({ text: 'def.', end: 'clean' })
    expect(follower.warnings).toEqual([])
  })

  test('of a log whose bytes were changed in the store is not taken for the answer', async () => {
    const store = memoryStore()
    const owner = toy({ store })
    const changed = handleOf(store, {
      watch: undefined,
      async tail(...args) {
        const found = await store.tail!(...args)
        return found && Buffer.from(Buffer.from(found).toString('latin1').replace('abc', 'aXc'), 'latin1')
      },
    })
    const follower = toy({ store: handleOf(changed) })
    const asked = owner.ask(true)
    await until(() => expect(owner.calls).toHaveLength(1))
    owner.calls[0]!.send('abc')
    await readerOf(asked)
    const reader = await readerOf(follower.ask(true))
    expect(await reader.next()).toBe('aXc')
    // A caller that has no byte of it yet gets the stored answer.
    const late = await follower.ask(true)
    owner.calls[0]!.send('d.')
    owner.calls[0]!.end()
    expect((await reader.rest()).end).toBe('IDEM_STREAM_INTERRUPTED')
    expect(await late.text()).toBe('abcd.')
    expect(follower.calls).toHaveLength(0)
  })
})

/** A store that can lose its data, as Redis can: all of it, or one lock, without telling anybody. */
function forgetful() {
  let inner = memoryStore()
  const watched = new Map<(hint: Hint) => void, string>()
  const handle = new Proxy({} as Store, {
    get(_, name: keyof Store) {
      if (name === 'watch') return watch
      if (name === 'specVersion') return inner.specVersion
      return inner[name] && ((...args: never[]) => (inner[name] as (...args: never[]) => unknown)(...args))
    },
  })
  function watch(key: string, listener: (hint: Hint) => void) {
    watched.set(listener, key)
    inner.watch!(key, (hint) => watched.has(listener) && listener(hint))
    return { ready: Promise.resolve(), stop: () => void watched.delete(listener) }
  }
  return {
    handle,
    flush() {
      inner = memoryStore()
      for (const [listener, key] of watched) watch(key, listener)
    },
    /** Its hint is lost. */
    async evictLock(key: string) {
      const found = await inner.read(key)
      if (found.state !== 'locked') throw new Error(found.state)
      const listeners = [...watched]
      watched.clear()
      await inner.release(key, found.owner)
      await Promise.resolve()
      for (const [listener, id] of listeners) watched.set(listener, id)
    },
  }
}

describe('a follower that has a part of an answer', () => {
  const options = { tuning: { leaseMs: 2_400 } }

  test.each(['flush', 'lost lock'])(
    'gets the rest of it after a %s, as do all others, and no other call is made: its owner lives',
    async (loss) => {
      const { handle, flush, evictLock } = forgetful()
      const { call, reader, owner, follower, key } = await followed(() => ({}), options, handle)
      const others = await Promise.all([1, 2].map(async () => readerOf(await follower.ask(true))))
      const waiting = follower.ask(false)
      if (loss === 'flush') flush()
      else await evictLock(key)
      // It looks, finds nothing there, and the owner takes its lock back meanwhile.
      await until(async () => expect((await handle.read(key)).state).toBe('locked'))
      call.send('def.')
      call.end()
      expect(await reader.rest()).toEqual({ text: 'def.', end: 'clean' })
      for (const other of others) expect(await other.rest()).toEqual({ text: 'abcdef.', end: 'clean' })
      expect(await (await waiting).json()).toEqual({ letters: 'abcdef' })
      expect([owner.calls.length, follower.calls.length]).toEqual([1, 0])
    },
  )

  test('gets the rest of it when the answer comes to its end before its owner has its lock back', async () => {
    const { handle, flush } = forgetful()
    const { call, reader, follower } = await followed(
      () => ({}),
      {
        tuning: { leaseMs: 60_000 },
      },
      handle,
    )
    flush()
    call.send('def.')
    call.end()
    expect(await reader.rest()).toEqual({ text: 'def.', end: 'clean' })
    expect(follower.calls).toHaveLength(0)
  })

  test('is told when its owner gave the call up, and the others are given a new one', async () => {
    const { call, reader, follower } = await followed(() => ({}), options)
    call.fail(new Error('cut'))
    expect(await reader.rest()).toMatchObject({
      end: 'IDEM_STREAM_INTERRUPTED',
      says: expect.stringMatching(/let go of it.*gave its call up.*Nothing of it was stored/),
    })
    expect(follower.calls.length).toBeLessThanOrEqual(1)
  })

  /** The answer of a refresh beside the running call is stored at once. */
  async function refreshed(store: Store) {
    const other = toy({ store, ...options })
    const asked = other.refresh()
    await until(() => expect(other.calls).toHaveLength(1))
    other.calls[0]!.send('xyz.')
    other.calls[0]!.end()
    expect(await (await asked).text()).toBe('xyz.')
  }

  test('gets the rest of it where another answer stands, as callers of its owner do; later ones get the other', async () => {
    const { store, call, mine, reader, owner, follower } = await followed(() => ({}), options)
    await refreshed(store)
    await until(async () => expect(await (await follower.ask(true)).text()).toBe('xyz.'))
    call.send('def.')
    expect(await reader.next()).toBe('def.')
    call.end()
    expect(await mine.rest()).toEqual({ text: 'def.', end: 'clean' })
    expect(await reader.rest()).toEqual({ text: '', end: 'clean' })
    expect(await (await follower.ask(true)).text()).toBe('xyz.')
    expect([owner.calls.length, follower.calls.length]).toEqual([1, 0])
  })

  test('is told when another answer stands, and its own is not finished for it', async () => {
    const { store, mine, reader, follower } = await followed(() => ({}), options)
    await mine.cancel()
    await refreshed(store)
    expect(await reader.rest()).toMatchObject({
      end: 'IDEM_STREAM_INTERRUPTED',
      says: expect.stringMatching(/Another execution.*finished first.*An answer is stored/),
    })
    expect(await (await follower.ask(true)).text()).toBe('xyz.')
    expect(follower.calls).toHaveLength(0)
  })

  test('is told when a damaged record stands, which one call of another caller replaces', async () => {
    const { store, key, claim, reader, follower } = await followed(() => ({}), options)
    const waiting = follower.ask(false)
    await store.complete(key, { ...claim, owner: 'another' }, bytes('no record'), 60_000)
    await until(() => expect(follower.calls).toHaveLength(1))
    follower.calls[0]!.send('xyz.')
    follower.calls[0]!.end()
    expect(await (await waiting).json()).toEqual({ letters: 'xyz' })
    expect((await reader.rest()).end).toBe('IDEM_STREAM_INTERRUPTED')
    const later = toy({ store })
    expect(await (await later.ask(false)).json()).toEqual({ letters: 'xyz' })
    expect(later.calls).toHaveLength(0)
  })

  test('is told when its process cannot reach the store any more', async () => {
    let isAway = false
    const away = (store: Store) => {
      const refuse =
        (name: 'acquire' | 'read' | 'tail' | 'readNote') =>
        async (...args: never[]) => {
          if (isAway) throw new Error('away')
          return (store[name] as (...args: never[]) => unknown)(...args)
        }
      return Object.fromEntries(
        (['acquire', 'read', 'tail', 'readNote'] as const).map((name) => [name, refuse(name)]),
      ) as Partial<Store>
    }
    const { reader } = await followed(away, {
      tuning: { leaseMs: 60, pollMaxMs: 10 },
    })
    isAway = true
    expect(await reader.rest()).toMatchObject({
      end: 'IDEM_STREAM_INTERRUPTED',
      says: expect.stringMatching(/store cannot be reached/),
    })
  })

  test('is told when the answer grows over what is kept', async () => {
    const { call, reader } = await followed(() => ({}), {
      ...options,
      tuning: { ...options.tuning, maxRecordBytes: 5 },
    })
    call.send('defgh')
    call.send('.')
    call.end()
    expect(await reader.rest()).toMatchObject({
      end: 'IDEM_STREAM_INTERRUPTED',
      says: expect.stringMatching(/grew over what is kept/),
    })
  })
})

test('a log that the store has lost is written again at once, also while nothing comes', async () => {
  const store = memoryStore()
  const order: string[] = []
  const handle = handleOf(store, {
    async renew(...args) {
      order.push('renew')
      return store.renew(...args)
    },
    async append(...args) {
      const [, , offset] = args
      // The data is lost, and the renewal is the first to notice.
      const isLost = order.includes('renew') && !order.includes('lost')
      order.push(isLost ? 'lost' : `from ${offset === 0 ? 0 : 'there'}`)
      return isLost
        ? 0
        : store.append!(
            args[0],
            `${args[1]}${order.includes('lost') ? '-' : ''}`,
            ...(args.slice(2) as [number, Uint8Array, number]),
          )
    },
  })
  const owner = toy({ store: handle, tuning: { leaseMs: 300 } })
  const asked = owner.ask(true)
  await until(() => expect(owner.calls).toHaveLength(1))
  owner.calls[0]!.send('abc')
  await (await readerOf(asked)).next()
  await until(() => expect(order.filter((step) => step === 'renew').length).toBeGreaterThan(1))
  expect(order.slice(order.indexOf('renew')).slice(0, 3)).toEqual(['renew', 'lost', 'from 0'])
})
