import { readEvents } from '@idem/core/dialect'
import { OpenAI } from 'openai'
import { describe, expect, test } from 'vitest'
import { responsesStreams } from '../src/responses/streams.js'
import { asked, chat, counted, embedded } from './calls.js'
import { bytesOf, chunksOf } from './chat-wire.js'
import { call, choice, completion, text } from './completions.js'
import { bothWays } from './oracle.js'
import { message, response, text as responseText } from './responses.js'
import { clientOf, json, type Reply, sse, useServer } from './server.js'

const server = useServer()

/** A client, and what it was warned of. */
function watched() {
  const warnings: string[] = []
  return {
    ...clientOf(server, { maxRetries: 0 }, { logger: { warn: (one) => warnings.push(one) } }),
    warnings,
  }
}

/** Everything a reader of a stream gets, whether or not it ends whole. */
async function read(fetch: typeof globalThis.fetch, path: string, body: object) {
  const headers = { authorization: 'Bearer key', 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify({ ...body, stream: true }) }
  let text = ''
  try {
    const response = await fetch(`${server.url}${path}`, init)
    const decoder = new TextDecoder()
    for await (const bytes of response.body!) text += decoder.decode(bytes, { stream: true })
  } catch (error) {
    return { text, code: (error as { code?: string }).code }
  }
  return { text }
}

const frame = (data: unknown, name = '') => `${name && `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`
const framed = (chunks: object[]) => chunks.map((chunk) => frame(chunk)).join('')

const hello = completion([text('Hé 👍')])
const chunks = chunksOf(hello, 2)
const two = completion([text('one'), text('two', { index: 1 })])
const calling = completion([choice({ tool_calls: [call('f', '{"a":1}')] }, { finish_reason: 'tool_calls' })])
const filters = { id: '', model: '', object: '', created: 0, choices: [], prompt_filter_results: [{}] }
const events = readEvents(bothWays(responsesStreams).expand(response([message(responseText('Hé 👍'))])))
const responseStream = (from: number, to?: number) =>
  events
    .slice(from, to)
    .map(({ name, data }) => `event: ${name}\ndata: ${data}\n\n`)
    .join('')
const cutEvent = responseStream(0).slice(0, -2)

describe('a stream that ends without its last word', () => {
  test.each<[string, string, object, string]>([
    ['each choice having finished', '/chat/completions', counted, framed(chunks)],
    ['two choices having finished', '/chat/completions', { ...counted, n: 2 }, framed(chunksOf(two, 2))],
    ['a tool call being whole', '/chat/completions', counted, framed(chunksOf(calling, 2))],
    ['after notes of Azure', '/chat/completions', counted, framed([filters, ...chunks])],
    ['without the usage that was asked for', '/chat/completions', counted, framed(chunks.slice(0, -1))],
    ['the last chunk not being closed', '/chat/completions', counted, framed(chunks).slice(0, -2)],
    [
      'of events of another kind',
      '/chat/completions',
      counted,
      frame({ token: 'a' }) + frame({ token: 'b' }),
    ],
    ['of events that are not JSON', '/chat/completions', counted, 'data: a\n\ndata: b\n\n'],
    ['the last event not being closed', '/responses', asked, cutEvent],
    ['of events of another kind', '/responses', asked, frame({ type: 'a' }, 'a') + frame('x')],
  ])('%s, reaches all as it came, and is not stored: %s', async (_, path, body, stream) => {
    const { idem, warnings } = watched()
    server.script = () => sse(stream, { delayMs: 20 })
    const readers = [1, 2, 3].map(() => read(idem.fetch, path, body))
    for (const reader of await Promise.all(readers)) expect(reader).toStrictEqual({ text: stream })
    expect(server.calls).toBe(1)
    expect(await read(idem.fetch, path, body)).toStrictEqual({ text: stream })
    expect(server.calls).toBe(2)
    expect(warnings.filter((one) => one.includes('not stored'))).toHaveLength(1)
  })

  test.each(['data: [DONE]', 'data: [DONE]\n', 'data:[DONE]\r\n'])(
    'but its blank line, is whole, and stored: %j',
    async (end) => {
      const { idem, client, warnings } = watched()
      server.script = () => sse(framed(chunks) + end)
      for (let times = 0; times < 2; times++) {
        const { text } = await read(idem.fetch, '/chat/completions', counted)
        expect(text).toBe(framed(chunks) + end)
      }
      const { choices } = await client.chat.completions.create(chat)
      expect(choices).toStrictEqual(hello.choices)
      expect(server.calls).toBe(1)
      expect(warnings).toEqual([])
    },
  )

  test.each<[string, string, object, string]>([
    ['a choice', '/chat/completions', counted, framed(chunks.slice(0, 3))],
    ['a choice, which has not said anything', '/chat/completions', counted, framed([filters])],
    ['one of two choices', '/chat/completions', { ...counted, n: 2 }, framed(chunksOf(two, 2).slice(0, -2))],
    ['the reason of a choice', '/chat/completions', counted, framed(chunks.slice(0, -1)).slice(0, -40)],
    ['a response', '/responses', asked, responseStream(0, -1)],
    ['the data of the last event', '/responses', asked, cutEvent.slice(0, -20)],
  ])(
    'in the middle of %s, cannot be told from one that was cut: every caller is told',
    async (_, path, body, stream) => {
      const { idem } = watched()
      server.script = () => sse(stream, { delayMs: 20 })
      const readers = [1, 2].map(() => read(idem.fetch, path, body))
      const told = { text: stream, code: 'IDEM_STREAM_INTERRUPTED' }
      for (const reader of await Promise.all(readers)) expect(reader).toStrictEqual(told)
      expect(server.calls).toBe(1)
    },
  )

  test('because its connection broke is an error, though each choice has finished', async () => {
    const { idem } = watched()
    const stream = framed(chunks)
    // In the middle of a comment that is as long as everything before it.
    server.script = () =>
      sse(Buffer.from(`${stream}: ${'.'.repeat(Buffer.byteLength(stream))}`), { drop: true })
    const { text, code } = await read(idem.fetch, '/chat/completions', counted)
    expect(text.startsWith(stream)).toBe(true)
    expect(code).toBe('IDEM_STREAM_INTERRUPTED')
    expect(server.calls).toBe(1)
  })

  test('is an answer for callers that wait for the whole of it as well', async () => {
    const { client } = watched()
    server.script = () => sse(framed(chunks), { delayMs: 50 })
    const streamed = client.chat.completions.stream(counted).finalChatCompletion()
    while (server.calls === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    const whole = await client.chat.completions.create(chat)
    expect(whole).toStrictEqual(hello)
    expect((await streamed).usage).toStrictEqual(whole.usage)
    expect(server.calls).toBe(1)
  })
})

describe.each<[string, string, object, string, (client: OpenAI) => Promise<unknown>]>([
  [
    'chat',
    '/chat/completions',
    counted,
    framed(chunks.slice(0, 3)),
    (client) => client.chat.completions.create(chat),
  ],
  ['responses', '/responses', asked, responseStream(0, 4), (client) => client.responses.create(asked)],
])('an error in a stream of %s', (_, path, body, begin, whole) => {
  const flat = { type: 'error', message: 'Slow down.' }
  test.each<[string, string, number]>([
    ['is flat', frame(flat, 'error'), 500],
    ['is flat, without the name of the event', frame(flat), 500],
    ['has a code', frame({ ...flat, code: 'rate_limit_exceeded' }, 'error'), 429],
    ['has a type', frame({ message: 'Slow down.', type: 'rate_limit_error' }, 'error'), 429],
    ['has only a message', frame({ message: 'Slow down.' }, 'error'), 500],
    ['has a status as its code', frame({ error: { message: 'Slow down.', code: 429 } }), 429],
    ['says what it is', frame({ object: 'error', message: 'Slow down.', code: 503 }), 503],
    ['is a member that is text', frame({ error: 'Slow down.' }), 500],
    ['is a member that is text, in an event of its own', frame({ error: 'Slow down.' }, 'error'), 500],
    ['is text', frame('Slow down.', 'error'), 500],
    ['is no JSON', 'event: error\ndata: Slow down.\n\n', 500],
  ])('reaches every caller, where it %s', async (_, error, status) => {
    for (const stream of [error, begin + error]) {
      server.reset()
      const { idem, client } = watched()
      const usual = server.script
      server.script = (request, index) => (index === 0 ? sse(stream, { delayMs: 50 }) : usual(request, index))
      const readers = [1, 2].map(() => read(idem.fetch, path, body))
      while (server.calls === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      const told = whole(client).catch((error) => error)
      for (const reader of await Promise.all(readers)) {
        expect(reader.text).toBe(stream)
        expect(reader.code).toBeUndefined()
      }
      expect(await told).toMatchObject({ status, message: expect.stringContaining('Slow down.') })
      expect(server.calls).toBe(1)
      await whole(client)
      expect(server.calls).toBe(2)
    }
  })
})

describe.each<[string, string, object, string, (client: OpenAI) => Promise<unknown>]>([
  [
    'in the middle of a completion',
    '/chat/completions',
    counted,
    framed(chunks.slice(0, 2)),
    (client) => client.chat.completions.create(chat),
  ],
  [
    'after each choice has finished',
    '/chat/completions',
    counted,
    framed(chunks),
    (client) => client.chat.completions.create(chat),
  ],
  [
    'in the middle of a response',
    '/responses',
    asked,
    responseStream(0, 4),
    (client) => client.responses.create(asked),
  ],
])('an error that is not closed %s', (_, path, body, begin, whole) => {
  test.each([
    frame({ error: { message: 'Slow down.' } }).slice(0, -1),
    frame({ error: { message: 'Slow down.' } }).trimEnd(),
    frame({ message: 'Slow down.' }, 'error').trimEnd(),
    frame({ object: 'error', message: 'Slow down.' }).trimEnd(),
  ])('reaches every caller as it came, is an error to each, and is not stored: %j', async (error) => {
    const { idem, client } = watched()
    const usual = server.script
    const stream = begin + error
    server.script = (request, index) => (index === 0 ? sse(stream, { delayMs: 50 }) : usual(request, index))
    const readers = [1, 2].map(() => read(idem.fetch, path, body))
    while (server.calls === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    const told = whole(client).catch((error) => error)
    for (const reader of await Promise.all(readers)) {
      expect(reader).toStrictEqual({ text: stream, code: 'IDEM_STREAM_INTERRUPTED' })
    }
    expect(await told).toMatchObject({ status: 502, code: 'IDEM_STREAM_INTERRUPTED' })
    expect(server.calls).toBe(1)
    await whole(client)
    expect(server.calls).toBe(2)
  })
})

describe('a stream that cannot be told what it amounts to', () => {
  const [first, ...rest] = chunksOf(calling, 9)
  const delta = (tool_calls: object[]) => ({
    ...first,
    choices: [{ index: 0, delta: { tool_calls }, finish_reason: null }],
  })
  const twoCalls = bytesOf([
    first!,
    delta([{ index: 0, ...call('a', '{"x":1}') }]),
    delta([{ index: 0, ...call('b', '{"y":2}') }]),
    rest.at(-2)!,
    rest.at(-1)!,
  ])

  test('leads a caller that wants the whole to its own call, and is not stored', async () => {
    const { idem, client, warnings } = watched()
    server.script = ({ body }) => (body.stream ? sse(twoCalls, { delayMs: 50 }) : json(hello))
    const stream = read(idem.fetch, '/chat/completions', counted)
    while (server.calls === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    const whole = await client.chat.completions.create(chat)
    expect(whole).toStrictEqual(hello)
    expect(await stream).toStrictEqual({ text: twoCalls.toString() })
    expect(server.calls).toBe(2)
    await read(idem.fetch, '/chat/completions', counted)
    expect(server.calls).toBe(3)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(
      /^idem: An answer to a chat request was not stored, since it was not understood/,
    )
  })

  test('the same for a response whose items are not in its last event', async () => {
    const { idem, client } = watched()
    const { output, ...rest } = response([message(responseText('Hi'))])
    const end = { type: 'response.completed', response: { ...rest, output: [] } }
    const stream = responseStream(0, -1) + frame(end, end.type)
    server.script = ({ body }) => (body.stream ? sse(stream, { delayMs: 50 }) : json({ ...rest, output }))
    const streamed = read(idem.fetch, '/responses', asked)
    while (server.calls === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    expect((await client.responses.create(asked)).output).toStrictEqual(output)
    expect(await streamed).toStrictEqual({ text: stream })
    expect(server.calls).toBe(2)
  })
})

test('a whole answer that no stream builds up leads a caller that streams to its own call, which is told of once', async () => {
  const { client, warnings } = watched()
  const odd = completion([choice({ content: [{ type: 'text', text: 'Hé 👍' }] })])
  server.script = ({ body }) => (body.stream ? sse(bytesOf(chunks)) : json(odd))
  expect((await client.chat.completions.create(chat)).choices).toStrictEqual(odd.choices)
  for (let calls = 2; calls <= 3; calls++) {
    const streamed = await client.chat.completions.stream(counted).finalChatCompletion()
    expect(streamed.choices[0]!.message.content).toBe('Hé 👍')
    expect(server.calls).toBe(calls)
  }
  expect((await client.chat.completions.create(chat)).choices).toStrictEqual(odd.choices)
  expect(server.calls).toBe(3)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('made its own call')
})

test.each<[string, Reply]>([
  ['without its state', json({ ...response([message(responseText('Hi'))]), status: undefined })],
  ['with an item not known yet', json(response([{ type: 'hologram' }, message(responseText('Hi'))]))],
])('a response %s is delivered, not stored, and told of once', async (_, reply) => {
  const { client, warnings } = watched()
  server.script = () => reply
  for (let times = 1; times <= 2; times++) {
    expect((await client.responses.create(asked)).output_text).toBe('Hi')
    expect(server.calls).toBe(times)
  }
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('not stored')
})

test('embeddings that are asked for as a stream are not shared, counted, and told of once', async () => {
  const { idem, client, warnings } = watched()
  for (let times = 1; times <= 2; times++) {
    await client.embeddings.create({ ...embedded, stream: true } as typeof embedded)
    expect(server.calls).toBe(times)
  }
  expect(idem.stats()).toMatchObject({ requests: 2, bypassed: 2 })
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('embeddings')
})

describe('an answer that does not answer its request', () => {
  test.each<[string, string, object, Reply]>([
    [
      'a completion beside an error',
      '/chat/completions',
      chat,
      json({ ...hello, error: { message: 'No.' } }),
    ],
    ['an error with status 200', '/chat/completions', chat, json({ error: { message: 'No.' } })],
    ['no choice', '/chat/completions', chat, json(completion([]))],
    ['one choice of two', '/chat/completions', { ...chat, n: 2 }, json(hello)],
    ['a page', '/chat/completions', chat, { body: '<html>', type: 'text/html' }],
    ['no embeddings', '/embeddings', embedded, json({ object: 'list', data: [], model: 'm' })],
    ['a response with an error', '/responses', asked, json(response([], { error: { message: 'No.' } }))],
  ])('is delivered, not stored, and told of once: %s', async (_, path, body, reply) => {
    const { idem, warnings } = watched()
    server.script = () => reply
    const ask = async () => {
      const headers = { authorization: 'Bearer key', 'content-type': 'application/json' }
      const init = { method: 'POST', headers, body: JSON.stringify(body) }
      return (await idem.fetch(`${server.url}${path}`, init)).text()
    }
    for (let times = 1; times <= 2; times++) {
      expect(await ask()).toBe(reply.body)
      expect(server.calls).toBe(times)
    }
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('not stored')
    // No part of an answer is in a log.
    expect(warnings[0]).not.toContain('No.')
    expect(warnings[0]).not.toContain('html')
  })
})

test.each(['text/plain; charset=utf-8', 'application/octet-stream'])(
  'the SDK reads a stream that is declared to be %s as without idem, and it is stored',
  async (type) => {
    const { client } = watched()
    server.script = () => sse(bytesOf(chunks), { type })
    const plain = new OpenAI({ baseURL: server.url, apiKey: 'key' })
    const read = (client: OpenAI) => client.chat.completions.stream(counted).finalChatCompletion()
    const direct = await read(plain)
    const [first, second] = await Promise.all([read(client), read(client)])
    expect([first, second]).toEqual([direct, direct])
    expect(await read(client)).toEqual(direct)
    expect((await client.chat.completions.create(chat)).choices).toStrictEqual(hello.choices)
    expect(server.calls).toBe(2)
  },
)
