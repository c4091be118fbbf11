import { describe, expect, test } from 'vitest'
import { createIdem, type IdemOptions, memoryStore } from '../src/index.js'
import { askToy, ToyCall } from './toy-dialect.js'

type Headers = Record<string, string>

/** One process, whose provider sends its streams with these headers. */
function toy(headers: Headers, options: IdemOptions = {}) {
  const warnings: string[] = []
  const idem = createIdem({
    ...options,
    logger: { warn: (one) => warnings.push(one) },
    tuning: { pollMinMs: 5, pollMaxMs: 20, liveBatchMs: 1, ...options.tuning },
  })
  const calls: ToyCall[] = []
  const send = (signal: AbortSignal) => {
    const call = new ToyCall(signal)
    calls.push(call)
    return new Response(call.response.body, { headers })
  }
  return { calls, warnings, ask: (stream: boolean) => askToy(idem, { stream }, send) }
}

function answering(body: string | Uint8Array, headers: Headers) {
  const warnings: string[] = []
  const idem = createIdem({ logger: { warn: (one) => warnings.push(one) } })
  const served = { calls: 0 }
  const send = () => {
    served.calls++
    // As a stream: a Response gives a body of text a content type.
    const stream = new Blob([typeof body === 'string' ? body : Buffer.from(body)]).stream()
    return new Response(stream, { headers })
  }
  return { served, warnings, ask: (stream: boolean) => askToy(idem, { stream }, send) }
}

async function called(calls: readonly ToyCall[]): Promise<ToyCall> {
  while (!calls[0]) await new Promise((resolve) => setTimeout(resolve, 1))
  return calls[0]
}

const types: [string, Headers][] = [
  ['text/plain', { 'content-type': 'text/plain' }],
  ['text/plain of some charset', { 'content-type': 'Text/Plain; charset=utf-8' }],
  ['bytes', { 'content-type': 'application/octet-stream' }],
  ['nothing', {}],
  ['events, in capitals', { 'content-type': 'Text/Event-Stream;charset=UTF-8' }],
  ['JSON, which it is not', { 'content-type': 'application/json' }],
]

describe.each(types)('a stream that is declared to be %s', (_, headers) => {
  test('is passed on as it comes, shared, and stored', async () => {
    const { ask, calls } = toy(headers)
    const asked = [ask(true), ask(true)]
    const call = await called(calls)
    call.send('ab')
    const readers = []
    for (const one of asked) {
      const response = await one
      expect(response.headers.get('content-type')).toBe(headers['content-type'] ?? null)
      readers.push(response.body!.pipeThrough(new TextDecoderStream()).getReader())
    }
    // The next is sent only when this one has come.
    for (const reader of readers) expect((await reader.read()).value).toBe('ab')
    call.send('c.')
    for (const reader of readers) expect((await reader.read()).value).toBe('c.')
    call.end()
    for (const reader of readers) expect((await reader.read()).done).toBe(true)
    const replay = await ask(true)
    expect(replay.headers.get('content-type')).toBe(headers['content-type'] ?? null)
    expect(await replay.text()).toBe('abc.')
    expect(await (await ask(false)).json()).toEqual({ letters: 'abc' })
    expect(calls).toHaveLength(1)
  })

  test('is followed by another process as it comes', async () => {
    const store = memoryStore()
    const owner = toy(headers, { store })
    const follower = toy(headers, { store })
    const own = owner.ask(true)
    const call = await called(owner.calls)
    call.send('ab')
    await own
    const reader = (await follower.ask(true)).body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toBe('ab')
    call.send('c.')
    call.end()
    expect((await reader.read()).value).toBe('c.')
    expect((await reader.read()).done).toBe(true)
    expect(await (await follower.ask(false)).json()).toEqual({ letters: 'abc' })
    expect(follower.calls).toHaveLength(0)
  })
})

describe('an answer to a request for a stream that is not a stream', () => {
  const letters = '{"letters":"abc"}'

  test.each([
    ['JSON', letters, { 'content-type': 'text/plain' }],
    ['JSON without a type', letters, {}],
    ['JSON after blanks', `\r\n \t${letters}`, { 'content-type': 'text/plain' }],
    ['JSON after a byte order mark', `\uFEFF ${letters}`, {}],
  ])('%s is a whole answer, which each has in the form it asked for', async (_, body, headers) => {
    const { ask, served } = answering(body, headers)
    const [stream, other] = await Promise.all([ask(true), ask(true)])
    for (const response of [stream!, other!]) expect(await response.text()).toBe('abc.')
    expect(await (await ask(false)).json()).toEqual({ letters: 'abc' })
    expect(served.calls).toBe(1)
  })

  test('a page is one whole answer for all waiting callers, is not stored, and that is told once', async () => {
    const { ask, served, warnings } = answering('<html>', { 'content-type': 'text/html' })
    const responses = await Promise.all([ask(true), ask(true)])
    for (const response of responses) expect(await response.text()).toBe('<html>')
    expect(served.calls).toBe(1)
    expect(await (await ask(true)).text()).toBe('<html>')
    expect(served.calls).toBe(2)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('not stored')
  })

  test('an empty body is an empty answer', async () => {
    const { ask, served } = answering('', {})
    const responses = await Promise.all([ask(true), ask(true)])
    for (const response of responses) expect(await response.text()).toBe('')
    expect(served.calls).toBe(1)
  })

  test.each([
    ['ASCII', 'upstream is busy'],
    ['other text', '混んでいます'],
  ])(
    '%s that has no events reaches all as it came, is not stored, and that is told once',
    async (_, body) => {
      const { ask, served, warnings } = answering(body, { 'content-type': 'text/plain' })
      const responses = await Promise.all([ask(true), ask(true)])
      for (const response of responses) expect(await response.text()).toBe(body)
      expect(served.calls).toBe(1)
      expect(await (await ask(true)).text()).toBe(body)
      expect(served.calls).toBe(2)
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toContain('not stored')
    },
  )
})

test.each(['{"error":"slow down"}', ' \n<html>'])(
  'a document that is declared to be events reaches all as it came, and is not stored: %s',
  async (body) => {
    const { ask, served, warnings } = answering(body, { 'content-type': 'text/event-stream' })
    const responses = await Promise.all([ask(true), ask(true)])
    for (const response of responses) expect(await response.text()).toBe(body)
    expect(served.calls).toBe(1)
    expect(await (await ask(true)).text()).toBe(body)
    expect(served.calls).toBe(2)
    expect(warnings).toHaveLength(1)
  },
)

test('a stream that is declared and ends before its last event is an error, whatever is asked for', async () => {
  const { ask, served } = answering('ab', { 'content-type': 'text/event-stream' })
  const response = await ask(true).catch((error) => error)
  const told = response instanceof Response ? await response.text().catch((error) => error) : response
  expect(told).toMatchObject({ code: 'IDEM_STREAM_INTERRUPTED' })
  expect(served.calls).toBe(1)
})

test('an answer that was not asked for as a stream, and is not declared to be one, is read as a whole', async () => {
  const { ask, served } = answering('abc.', { 'content-type': 'text/plain' })
  const responses = await Promise.all([ask(false), ask(false)])
  for (const response of responses) expect(await response.text()).toBe('abc.')
  expect(served.calls).toBe(1)
})
