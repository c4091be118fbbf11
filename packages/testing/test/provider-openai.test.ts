import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Provider, startProvider } from '../src/index.js'
import { postTo } from './messages.js'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
afterEach(() => provider.reset())
afterAll(() => provider.stop())

/** The real client, asking once: a retry would hide what the provider did. */
function client(options: { maxRetries?: number; timeout?: number } = {}): OpenAI {
  return new OpenAI({ baseURL: `${provider.url}/v1`, apiKey: 'test', maxRetries: 0, ...options })
}

const model = 'gpt-5'
const chat = { model, messages: [{ role: 'user' as const, content: 'Say something.' }] }
const ask = { model, input: 'Say something.' }

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

describe('chat completions', () => {
  test('give the official client a completion, with the request id of the header', async () => {
    const completion = await client().chat.completions.create(chat)
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model,
      id: expect.stringMatching(/^chatcmpl-/),
    })
    expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant' } })
    expect(completion.choices[0]!.message.content).toContain('call 1')
    expect(completion._request_id).toMatch(/^req_/)
  })

  test('count tokens in all of the details', async () => {
    const { usage } = await client().chat.completions.create(chat)
    expect(usage!.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens)
    expect(usage!.prompt_tokens_details!.cached_tokens).toBe(0)
    expect(usage!.completion_tokens_details!.reasoning_tokens).toBe(0)
  })

  test('stream as chunks that fold to the text, without usage unless it is asked for', async () => {
    provider.reply({ text: 'Grüße, 世界 and more', stopReason: 'length' })
    const chunks = await all(await client().chat.completions.create({ ...chat, stream: true }))
    const choices = chunks.map(({ choices: [choice] }) => choice!)
    expect(choices.map(({ delta }) => delta.content ?? '').join('')).toBe('Grüße, 世界 and more')
    expect(choices[0]!.delta.role).toBe('assistant')
    expect(choices.map((choice) => choice.finish_reason).filter(Boolean)).toEqual(['length'])
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    expect(chunks.filter((chunk) => 'usage' in chunk)).toEqual([])
  })

  test('stream the usage of the whole in a last chunk without choices, when it is asked for', async () => {
    provider.reply({ text: 'two words' })
    const { usage } = await client().chat.completions.create(chat)
    const options = { stream: true as const, stream_options: { include_usage: true } }
    const chunks = await all(await client().chat.completions.create({ ...chat, ...options }))
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage })
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true)
  })

  test('end their stream of bare data in [DONE]', async () => {
    const response = await client()
      .chat.completions.create({ ...chat, stream: true })
      .asResponse()
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const text = await response.text()
    expect(text).not.toContain('event:')
    expect(text.endsWith('\n\ndata: [DONE]\n\n')).toBe(true)
  })

  test('that fail in mid stream send the error as data', async () => {
    provider.reply({ status: 200, error: { type: 'server_error', message: 'broken' } })
    const stream = await client().chat.completions.create({ ...chat, stream: true })
    await expect(all(stream)).rejects.toMatchObject({ type: 'server_error', message: 'broken' })
  })
})

describe('responses', () => {
  test('give the official client a response', async () => {
    const response = await client().responses.create(ask)
    expect(response).toMatchObject({ object: 'response', status: 'completed', model })
    expect(response.output_text).toContain('call 1')
    expect(response._request_id).toMatch(/^req_/)
    const { input_tokens, output_tokens, total_tokens } = response.usage!
    expect(total_tokens).toBe(input_tokens + output_tokens)
  })

  test('stream as numbered events in the order of the API, the last with the whole', async () => {
    provider.reply({ text: 'two words' })
    const events = await all(await client().responses.create({ ...ask, stream: true }))
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index))
  })

  test('fold in the official client to what is sent without a stream', async () => {
    provider.reply({ text: 'the same for both' })
    const plain = await client().responses.create(ask)
    const streamed = await client().responses.stream(ask).finalResponse()
    expect(streamed.output_text).toBe(plain.output_text)
    expect(streamed.usage).toEqual(plain.usage)
    expect(streamed.status).toBe('completed')
  })

  test('that are cut short end in response.incomplete', async () => {
    provider.reply({ stopReason: 'max_output_tokens' })
    const events = await all(await client().responses.create({ ...ask, stream: true }))
    expect(events.at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
    })
  })

  test('that fail in mid stream end in response.failed', async () => {
    provider.reply({ status: 200, error: { type: 'server_error', message: 'broken' } })
    const events = await all(await client().responses.create({ ...ask, stream: true }))
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      sequence_number: events.length - 1,
      response: { status: 'failed', error: { code: 'server_error', message: 'broken' } },
    })
  })
})

describe('embeddings', () => {
  const embed = { model: 'text-embedding-3-small', input: ['one', 'two'], dimensions: 16 }

  test('are the same as numbers and in the base64 that the official client asks for', async () => {
    provider.reply({ text: 'seed' })
    const decoded = await client().embeddings.create(embed)
    const floats = await client().embeddings.create({ ...embed, encoding_format: 'float' })
    expect(provider.requests.map((call) => call.body.encoding_format)).toEqual(['base64', 'float'])
    expect(decoded.data).toEqual(floats.data)
    expect(decoded.data.map(({ index }) => index)).toEqual([0, 1])
    expect(decoded.data[0]!.embedding).toHaveLength(16)
    expect(decoded.data[0]!.embedding).not.toEqual(decoded.data[1]!.embedding)
    expect(Math.hypot(...decoded.data[0]!.embedding)).toBeCloseTo(1)
    expect(decoded.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 })
  })

  test('are different for every call, so that a second execution can be seen', async () => {
    const [first, second] = [await client().embeddings.create(embed), await client().embeddings.create(embed)]
    expect(first.data[0]!.embedding).not.toEqual(second.data[0]!.embedding)
  })

  test('take a list of tokens for one input', async () => {
    const { data } = await client().embeddings.create({ ...embed, input: [1, 2, 3] })
    expect(data).toHaveLength(1)
  })
})

describe.each([
  ['chat completions', (openai: OpenAI) => openai.chat.completions.create({ ...chat, stream: true })],
  ['responses', (openai: OpenAI) => openai.responses.create({ ...ask, stream: true })],
])('a stream of %s', (_name, start: (openai: OpenAI) => PromiseLike<AsyncIterable<unknown>>) => {
  test('that is dropped in the middle breaks for the client', async () => {
    provider.reply({ drop: 'mid-body', text: 'some words that will not all arrive' })
    await expect(all(await start(client()))).rejects.toThrow('terminated')
    expect(await provider.requests[0]!.done).toBe('dropped')
  })

  test('that the client leaves is seen to be left', async () => {
    provider.reply({ hang: 'mid-body' })
    for await (const _event of await start(client())) break
    await provider.requests[0]!.closedByClient
  })

  test('is held before each piece by the script', async () => {
    const held: number[] = []
    provider.reply({ beforeChunk: (index) => held.push(index) })
    await all(await start(client()))
    expect(held.length).toBeGreaterThan(10)
  })
})

describe('an error of OpenAI', () => {
  const failed = (openai = client()) =>
    openai.chat.completions.create(chat).then(
      () => expect.unreachable('the call must fail'),
      (error: unknown) => error,
    )

  test.each([
    [400, OpenAI.BadRequestError, 'invalid_request_error', null],
    [401, OpenAI.AuthenticationError, 'invalid_request_error', 'invalid_api_key'],
    [403, OpenAI.PermissionDeniedError, 'request_forbidden', 'unsupported_country_region_territory'],
    [404, OpenAI.NotFoundError, 'invalid_request_error', 'model_not_found'],
    [429, OpenAI.RateLimitError, 'requests', 'rate_limit_exceeded'],
    [500, OpenAI.InternalServerError, 'server_error', null],
    [503, OpenAI.InternalServerError, 'server_error', null],
  ])('with status %i is raised by the official client as its class', async (status, Class, type, code) => {
    provider.reply({ status })
    const error = await failed()
    expect(error).toBeInstanceOf(Class)
    expect(error).toMatchObject({
      status,
      type,
      code,
      param: null,
      requestID: expect.stringMatching(/^req_/),
    })
  })

  test('is sent with the status that its type or code belongs to', async () => {
    provider.reply({ error: { type: 'insufficient_quota' } })
    expect(await failed()).toMatchObject({ status: 429, code: 'insufficient_quota' })
    provider.reply({ status: 400, error: { code: 'context_length_exceeded', param: 'messages' } })
    expect(await failed()).toMatchObject({ status: 400, code: 'context_length_exceeded', param: 'messages' })
  })

  test.each([
    ['/v1/chat/completions', { model }, 'messages'],
    ['/v1/responses', { input: 'x' }, 'model'],
    ['/v1/embeddings', { model }, 'input'],
  ])('is the answer of %s to a body without what it requires', async (path, body, param) => {
    provider.reply({ text: 'never sent' })
    const response = await postTo(`${provider.url}${path}`, body)
    expect(response.status).toBe(400)
    expect((await response.json()).error).toEqual({
      message: `Missing required parameter: '${param}'.`,
      type: 'invalid_request_error',
      param,
      code: 'missing_required_parameter',
    })
  })

  test('is retried by the official client, with the same body', async () => {
    provider.reply((_call, index) => (index === 0 ? { status: 500, headers: { 'retry-after-ms': '1' } } : {}))
    await client({ maxRetries: 1 }).chat.completions.create(chat)
    expect(provider.requests.map((call) => call.headers['x-stainless-retry-count'])).toEqual(['0', '1'])
    expect(provider.requests[0]!.rawBody).toBe(provider.requests[1]!.rawBody)
  })
})

test('the official client sees a dropped call as a lost connection', async () => {
  provider.reply({ drop: 'before-headers' })
  const call = client().chat.completions.create(chat)
  await expect(call).rejects.toBeInstanceOf(OpenAI.APIConnectionError)
})

test('the official client times out on a hanging call, and the provider sees it leave', async () => {
  provider.reply({ hang: true })
  const next = provider.nextCall()
  const answer = client({ timeout: 200 }).responses.create(ask)
  await expect(answer).rejects.toBeInstanceOf(OpenAI.APIConnectionTimeoutError)
  await (await next).closedByClient
})
