import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createIdem, type Idem, memoryStore } from '../src/index.js'
import type { Store } from '../src/store.js'
import { controlled, testStore } from './tools.js'
import { askToy } from './toy-dialect.js'

let store: Store
let idem: Idem
/** As another process on the same store: it shares no flight. */
let other: Idem
beforeEach(() => {
  store = memoryStore()
  idem = createIdem({ store })
  other = createIdem({ store })
})

describe('a refresh', () => {
  test('makes the call again; until it is done others are given the old answer, then the new one', async () => {
    await idem.run('key', () => 'old')
    const { work, began, finish } = controlled('new')
    const refreshed = idem.runWithOutcome('key', work, { refresh: true })
    await began
    expect(await idem.run('key', () => 'never')).toBe('old')
    expect(await other.run('key', () => 'never')).toBe('old')
    finish()
    expect(await refreshed).toEqual({ value: 'new', outcome: 'executed' })
    expect(await idem.run('key', () => 'never')).toBe('new')
    expect(await other.run('key', () => 'never')).toBe('new')
  })

  test('that fails leaves the old answer', async () => {
    await idem.run('key', () => 'old')
    const failing = () => Promise.reject(new Error('overloaded'))
    await expect(idem.run('key', failing, { refresh: true })).rejects.toThrow('overloaded')
    expect(await other.run('key', () => 'never')).toBe('old')
  })

  test('at the same time as another is one call, in this process and in others', async () => {
    await idem.run('key', () => 'old')
    const { work, began, finish } = controlled('new')
    const refresh = (one: Idem) => one.run('key', work, { refresh: true })
    const asked = [refresh(idem), refresh(idem), refresh(other)]
    await began
    finish()
    expect(await Promise.all(asked)).toEqual(['new', 'new', 'new'])
    expect(work).toHaveBeenCalledTimes(1)
  })

  test('of what is not there stores the answer', async () => {
    expect(await idem.run('key', () => 'first', { refresh: true })).toBe('first')
    expect(await other.run('key', () => 'never')).toBe('first')
  })

  test('of a running call makes a call of its own, and its answer is the one that stands', async () => {
    const { work, began, finish } = controlled('of the first')
    const first = idem.run('key', work)
    await began
    expect(await idem.run('key', () => 'fresh', { refresh: true })).toBe('fresh')
    finish()
    expect(await first).toBe('fresh')
    expect(await other.run('key', () => 'never')).toBe('fresh')
  })

  test('of another request under the same key is refused before any call', async () => {
    await idem.run('key', () => 'old', { fingerprint: 1 })
    const work = vi.fn()
    const reused = expect.objectContaining({ code: 'IDEM_KEY_REUSED' })
    await expect(idem.run('key', work, { fingerprint: 2, refresh: true })).rejects.toThrow(reused)
    expect(work).not.toHaveBeenCalled()
    expect(await idem.run('key', work, { fingerprint: 1 })).toBe('old')
  })

  test('whose answer cannot be written is given to its caller; the old one stands', async () => {
    const failing = testStore(store)
    const complete = failing.complete
    failing.complete = (key, claim, bytes, ttlMs, options) =>
      options?.over ? Promise.reject(new Error('no')) : complete(key, claim, bytes, ttlMs, options)
    await other.run('key', () => 'old')
    expect(await createIdem({ store: failing }).run('key', () => 'new', { refresh: true })).toBe('new')
    expect(await other.run('key', () => 'never')).toBe('old')
  })

  test('of an HTTP call goes by the same key as the call', async () => {
    const send = vi.fn(async () => Response.json({ letters: String(send.mock.calls.length) }))
    const ask = async (options = {}) => {
      const response = await askToy(idem, { stream: false }, send, undefined, options)
      return [await response.json(), /key="(.*)"/.exec(response.headers.get('cache-status') ?? '')?.[1]]
    }
    const [first, key] = await ask()
    expect(first).toEqual({ letters: '1' })
    expect(await ask({ refresh: true })).toEqual([{ letters: '2' }, key])
    expect(await ask()).toEqual([{ letters: '2' }, key])
  })
})

describe('a record older than the ttl of the caller', () => {
  test('is a miss for it, and replaced; it is good for others meanwhile', async () => {
    const storedAt = Date.now()
    await idem.run('key', () => 'old', { ttl: 'analysis' })
    vi.spyOn(Date, 'now').mockReturnValue(storedAt + 90_000)
    try {
      const { work, began, finish } = controlled('new')
      const hurried = idem.run('key', work, { ttl: 'retry' })
      await began
      expect(await other.run('key', () => 'never', { ttl: 'analysis' })).toBe('old')
      finish()
      expect(await hurried).toBe('new')
      expect(await other.run('key', () => 'never')).toBe('new')
    } finally {
      vi.restoreAllMocks()
    }
  })
})

test('callers of one process with other ttls each get what is good for them', async () => {
  const storedAt = Date.now()
  await idem.run('key', () => 'old', { ttl: 'analysis' })
  vi.spyOn(Date, 'now').mockReturnValue(storedAt + 90_000)
  try {
    const down = () => Promise.reject(new Error('down'))
    const hurried = idem.run('key', down, { ttl: 'retry' })
    const patient = idem.run('key', down, { ttl: 'analysis' })
    expect(await patient).toBe('old')
    await expect(hurried).rejects.toThrow('down')
  } finally {
    vi.restoreAllMocks()
  }
})

test('a refresh made by the work of its own key is refused: it would wait for itself', async () => {
  const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })
  const nested = () => idem.run('key', () => 1, { refresh: true })
  await expect(idem.run('key', nested)).rejects.toThrow(invalid)
  await expect(idem.run('key', () => idem.run('key', () => 1), { refresh: true })).rejects.toThrow(invalid)
})

test('a call that was overtaken by a refresh was paid for, and is counted so', async () => {
  const { work, began, finish } = controlled('late')
  const running = idem.run('key', work)
  await began
  await idem.run('key', () => 'fresh', { refresh: true })
  finish()
  expect(await running).toBe('fresh')
  expect(idem.stats()).toMatchObject({ executed: 2, collapsed: 0, superseded: 1, saved: { calls: 0 } })
})

test('a clock that is wrong by more than the ttl makes nobody refresh what was just stored for as long', async () => {
  const work = vi.fn(() => 'one')
  await idem.run('key', work, { ttl: 'retry' })
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000)
  try {
    expect(await other.run('key', work, { ttl: 'retry' })).toBe('one')
    expect(work).toHaveBeenCalledTimes(1)
  } finally {
    vi.restoreAllMocks()
  }
})

describe('forget', () => {
  test('removes what is stored, by key and scope, or by digest', async () => {
    await idem.run('key', () => 1, { scope: 'a' })
    expect(await idem.forget('key')).toBe(false)
    expect(await idem.forget('key', { scope: 'a' })).toBe(true)
    expect(await idem.run('key', () => 2, { scope: 'a' })).toBe(2)
    let digest = ''
    await idem.run('other', ({ idempotencyKey: key }) => {
      digest = key
    })
    expect(await other.forget({ digest })).toBe(true)
    expect(await idem.forget({ digest })).toBe(false)
  })

  test('of a running call: callers that wait get its answer, later ones do not', async () => {
    const { work, began, finish } = controlled('forgotten')
    const running = idem.run('key', work)
    const joined = idem.run('key', () => 'never')
    await began
    expect(await other.forget('key')).toBe(true)
    finish()
    expect(await Promise.all([running, joined])).toEqual(['forgotten', 'forgotten'])
    expect(await other.run('key', () => 'new')).toBe('new')
  })

  test('in this process: a caller that asks after it joins no call from before it', async () => {
    const { work, began, finish } = controlled('forgotten')
    const running = idem.run('key', work)
    await began
    await idem.forget('key')
    const later = idem.run('key', () => 'new')
    finish()
    expect(await running).toBe('forgotten')
    expect(await later).toBe('new')
  })

  test.each([[''], [7], [{}], [{ digest: 'short' }], [undefined]])('refuses %j', async (key) => {
    const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })
    await expect(idem.forget(key as never)).rejects.toThrow(invalid)
  })

  test('says so when the store cannot be reached: nothing was forgotten', async () => {
    const failing = testStore()
    failing.fault = () => 'refuse'
    const unavailable = expect.objectContaining({ code: 'IDEM_STORE_UNAVAILABLE' })
    await expect(createIdem({ store: failing }).forget('key')).rejects.toThrow(unavailable)
  })
})
