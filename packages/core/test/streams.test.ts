import { getEventListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { createIdem, type IdemOptions, memoryStore } from '../src/index.js'
import { deferred, testStore } from './tools.js'
import { askToy, ToyCall } from './toy-dialect.js'

/** One process, whose upstream calls are in the hands of the test. */
function toy(options: IdemOptions = {}, answer?: () => Response | Promise<Response>) {
  const idem = createIdem({
    logger: { warn() {} },
    ...options,
    tuning: { pollMinMs: 5, pollMaxMs: 20, liveBatchMs: 1, ...options.tuning },
  })
  const calls: ToyCall[] = []
  const send = (signal: AbortSignal) => {
    const call = new ToyCall(signal)
    calls.push(call)
    return answer?.() ?? call.response
  }
  const ask = (stream: boolean, signal?: AbortSignal, payload = {}) =>
    askToy(idem, { stream, ...payload }, send, signal)
  return { idem, calls, ask }
}

async function readerOf(response: Promise<Response>) {
  const reader = (await response).body!.pipeThrough(new TextDecoderStream()).getReader()
  return { next: async () => (await reader.read()).value, cancel: () => reader.cancel() }
}

async function callsOf(calls: unknown[], count: number): Promise<void> {
  await vi.waitFor(() => expect(calls).toHaveLength(count), { timeout: 20_000 })
}

describe('an answer over the limit, that one caller goes on reading', () => {
  /** The caller that is left with it, and its call. */
  async function spilled(options: IdemOptions = {}, signal?: AbortSignal) {
    const { ask, calls } = toy({ ...options, tuning: { maxRecordBytes: 4, ...options.tuning } })
    const asked = ask(true, signal)
    await callsOf(calls, 1)
    calls[0]!.send('abc')
    const reader = await readerOf(asked)
    expect(await reader.next()).toBe('abc')
    calls[0]!.send('defgh')
    expect(await reader.next()).toBe('defgh')
    return { reader, call: calls[0]! }
  }

  test('is read to its end, at the pace of that caller', async () => {
    const { reader, call } = await spilled()
    call.send('ijk')
    call.send('.')
    call.end()
    expect([await reader.next(), await reader.next(), await reader.next()]).toEqual(['ijk', '.', undefined])
  })

  test('is cancelled when that caller leaves', async () => {
    const { reader, call } = await spilled()
    await reader.cancel()
    await vi.waitFor(() => expect(call.isCancelled).toBe(true), { timeout: 20_000 })
  })

  test('is cancelled when that caller aborts', async () => {
    const aborter = new AbortController()
    const { call } = await spilled({}, aborter.signal)
    aborter.abort()
    await vi.waitFor(() => expect(call.isCancelled).toBe(true), { timeout: 20_000 })
  })

  test('has the same time as any execution', async () => {
    const { reader } = await spilled({
      tuning: { maxExecutionMs: 150 },
    })
    await expect(reader.next()).rejects.toMatchObject({ code: 'IDEM_STREAM_INTERRUPTED' })
  })
})

describe('what the provider gives to a stream call, and is not a stream', () => {
  test.each([
    ['nothing (204)', () => new Response(null, { status: 204 })],
    ['a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['JSON of another kind', () => new Response('oops', { headers: { 'content-type': 'application/json' } })],
  ])('%s is passed on to all as it is, from one call', async (_, answer) => {
    const { ask, calls } = toy({}, answer)
    const responses = await Promise.all([ask(true), ask(true), ask(true)])
    for (const response of responses) {
      expect(response.status).toBe(answer().status)
      expect(await response.text()).toBe(await answer().text())
    }
    expect(calls).toHaveLength(1)
  })
})

test('a caller that is receiving a stream is exempt from maxWaitMs', async () => {
  const store = memoryStore()
  const owner = toy({ store })
  const follower = toy({ store, tuning: { maxWaitMs: 50 } })
  const first = await Promise.all([
    readerOf(owner.ask(true)),
    callsOf(owner.calls, 1).then(() => owner.calls[0]!.send('ab')),
  ])
  const joiner = await readerOf(follower.ask(true))
  expect(await joiner.next()).toBe('ab')
  await new Promise((resolve) => setTimeout(resolve, 150))
  owner.calls[0]!.send('cd.')
  owner.calls[0]!.end()
  expect(await joiner.next()).toBe('cd.')
  expect(await joiner.next()).toBeUndefined()
  expect(await first[0].next()).toBe('ab')
  expect(follower.calls).toHaveLength(0)
})

describe('calls that nobody waits for', () => {
  test('one that is cancelled for its bytes takes no other with it', async () => {
    const store = testStore()
    // A cancelled call takes time to be settled.
    store.fault = (command) => (command === 'release' ? 'hang' : undefined)
    const { idem, ask, calls } = toy({ store, tuning: { maxAbandonedBytes: 50, abandonGraceMs: 60_000 } })
    const small = ask(true)
    await callsOf(calls, 1)
    calls[0]!.send('abc')
    const reader = await readerOf(small)
    await reader.next()
    await reader.cancel()
    const big = ask(true, undefined, { big: true })
    await callsOf(calls, 2)
    calls[1]!.send('a')
    await (await readerOf(big)).cancel()
    calls[1]!.send('x'.repeat(100))
    await vi.waitFor(() => expect(calls[1]!.signal.aborted).toBe(true), { timeout: 20_000 })
    calls[0]!.send('def')
    // Only the log reads it.
    await new Promise((resolve) => setTimeout(resolve, 20))
    const again = await readerOf(ask(true))
    expect(await again.next()).toBe('abcdef')
    expect(calls[0]!.signal.aborted).toBe(false)
    expect(idem.stats().cancelled).toBe(1)
  })

  test('an abort by AbortSignal.timeout() is a timeout: the call goes on', async () => {
    const { idem, ask, calls } = toy({
      tuning: { abandonGraceMs: 10 },
    })
    await expect(ask(false, AbortSignal.timeout(30))).rejects.toThrow('timeout')
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(calls[0]!.signal.aborted).toBe(false)
    calls[0]!.send('abc.')
    calls[0]!.end()
    expect(await (await ask(true)).text()).toBe('abc.')
    expect(idem.stats()).toMatchObject({ executed: 1, cancelled: 0 })
  })

  test('an abort on purpose is not: the call is cancelled after the grace', async () => {
    const { idem, ask, calls } = toy({
      tuning: { abandonGraceMs: 10 },
    })
    const aborter = new AbortController()
    const asked = ask(false, aborter.signal)
    await callsOf(calls, 1)
    aborter.abort()
    await expect(asked).rejects.toThrow('aborted')
    await vi.waitFor(() => expect(calls[0]!.signal.aborted).toBe(true), { timeout: 20_000 })
    expect(calls[0]!.signal.reason.code).toBe('IDEM_CANCELLED')
    expect(idem.stats().cancelled).toBe(1)
  })
})

test('a whole answer whose connection stays open is an answer all the same', async () => {
  const { ask, calls } = toy()
  const asked = ask(true)
  await callsOf(calls, 1)
  calls[0]!.send('abc.')
  expect(await (await asked).text()).toBe('abc.')
  expect(await (await ask(true)).text()).toBe('abc.')
  expect(calls).toHaveLength(1)
})

test('no listener stays on a caller’s signal, however its stream ends', async () => {
  const aborter = new AbortController()
  const { ask, calls } = toy({
    tuning: { abandonGraceMs: 60_000 },
  })
  const asked = [ask(true, aborter.signal), ask(true, aborter.signal), ask(false, aborter.signal)]
  await callsOf(calls, 1)
  calls[0]!.send('abc')
  await (await readerOf(asked[0]!)).cancel()
  calls[0]!.send('.')
  calls[0]!.end()
  expect(await (await asked[1]!).text()).toBe('abc.')
  expect(await (await asked[2]!).text()).toBe('{"letters":"abc"}')
  expect(getEventListeners(aborter.signal, 'abort')).toEqual([])
})

describe('the log of a running answer in the store', () => {
  /** An owner whose answer has begun, with its store. */
  async function begun(options: IdemOptions = {}) {
    const store = testStore()
    const owner = toy({ store, ...options, tuning: { leaseMs: 60, ...options.tuning } })
    const asked = owner.ask(true)
    await callsOf(owner.calls, 1)
    owner.calls[0]!.send('abc')
    const reader = await readerOf(asked)
    expect(await reader.next()).toBe('abc')
    await vi.waitFor(() => expect(store.sent).toContain('append'), { timeout: 20_000 })
    return { store, call: owner.calls[0]!, reader }
  }

  test('is kept alive with the lock while nothing comes', async () => {
    const { store } = await begun()
    const appends = store.sent.filter((command) => command === 'append').length
    await store.answered('append', 2)
    expect(store.sent.filter((command) => command === 'append').length).toBeGreaterThan(appends)
    expect(store.sent).toContain('renew')
  })

  test('is written again from its beginning when the store has lost it', async () => {
    const { store, call } = await begun()
    const inner = store.append!
    const offsets: number[] = []
    store.append = async (key, owner, offset, bytes, ms) => {
      offsets.push(offset)
      // Once only: it has no byte of it.
      return offsets.length === 1 ? 0 : inner(key, `${owner}-anew`, offset, bytes, ms)
    }
    call.send('def')
    await vi.waitFor(() => expect(offsets.length).toBeGreaterThan(1), { timeout: 20_000 })
    expect(offsets[0]).toBeGreaterThan(0)
    expect(offsets[1]).toBe(0)
  })

  test('gets nothing more when the work was given up, whatever it still does', async () => {
    const store = testStore()
    const idem = createIdem({ store, tuning: { maxExecutionMs: 50 }, logger: { warn() {} } })
    const late = new ToyCall(new AbortController().signal)
    const opened = deferred<Response>()
    expect((await askToy(idem, { stream: true }, () => opened.promise)).status).toBe(504)
    opened.resolve(late.response)
    late.send('abc')
    await vi.waitFor(() => expect(late.isRead).toBe(true), { timeout: 20_000 })
    expect(store.sent).not.toContain('append')
  })
})

test('a caller that has a part of a lost answer and has stopped reading starts no call', async () => {
  const shared = memoryStore()
  const store = testStore(shared)
  const owner = toy({ store, tuning: { leaseMs: 60 } })
  const follower = toy({ store: shared, tuning: { leaseMs: 60 } })
  const asked = owner.ask(true)
  await callsOf(owner.calls, 1)
  owner.calls[0]!.send('abc')
  await readerOf(asked)
  const joiner = (await follower.ask(true)).body!.getReader()
  expect(new TextDecoder().decode((await joiner.read()).value)).toBe('abc')
  store.fault = () => 'hang'
  // The lease lapses and the lock is free again, so another owner may have it.
  const another = toy({ store: shared, tuning: { pollMaxMs: 10 } })
  const whole = another.ask(false)
  await callsOf(another.calls, 1)
  another.calls[0]!.send('xyz.')
  another.calls[0]!.end()
  expect(await (await whole).json()).toEqual({ letters: 'xyz' })
  expect(follower.calls).toHaveLength(0)
  await expect(joiner.read()).rejects.toMatchObject({ code: 'IDEM_STREAM_INTERRUPTED' })
})

test('a caller that comes after a takeover has headers and bytes of one call, the new one', async () => {
  const shared = memoryStore()
  const store = testStore(shared)
  const headers = deferred()
  const owner = toy({ store, tuning: { leaseMs: 60 } })
  const follower = toy({ store: shared, tuning: { leaseMs: 60 } }, async () => {
    await headers.promise
    return follower.calls[0]!.response
  })
  const asked = owner.ask(true)
  await callsOf(owner.calls, 1)
  owner.calls[0]!.send('abc')
  await readerOf(asked)
  const patient = await follower.ask(true)
  expect(patient.headers.get('request-id')).toBe(owner.calls[0]!.id)
  store.fault = () => 'hang'
  await callsOf(follower.calls, 1)

  const later = follower.ask(true)
  headers.resolve()
  follower.calls[0]!.send('xyz.')
  follower.calls[0]!.end()
  expect((await later).headers.get('request-id')).toBe(follower.calls[0]!.id)
  expect(await (await later).text()).toBe('xyz.')
  expect(await patient.text()).toBe('xyz.')
})
