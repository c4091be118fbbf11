import Anthropic from '@anthropic-ai/sdk'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Provider, startProvider } from '../src/index.js'
import { bedrock, type CloudClient, type CloudOptions, foundry, vertex } from './clouds.js'
import { post, postTo, question } from './messages.js'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
afterEach(() => provider.reset())
afterAll(() => provider.stop())

const model = question.model
const google = '/v1/projects/my-project/locations/europe-west1/publishers/anthropic/models'

interface Cloud {
  name: string
  client: (url: string, options?: CloudOptions) => CloudClient
  /** The path of a whole call, and of a streaming one. */
  paths: [string, string]
  /** Its looks of a message's id. */
  id: RegExp
}
const clouds: Cloud[] = [
  {
    name: 'Bedrock',
    client: bedrock,
    paths: [`/model/${model}/invoke`, `/model/${model}/invoke-with-response-stream`],
    id: /^msg_bdrk_01/,
  },
  {
    name: 'Vertex',
    client: vertex,
    paths: [`${google}/${model}:rawPredict`, `${google}/${model}:streamRawPredict`],
    id: /^msg_vrtx_01/,
  },
  {
    name: 'Foundry',
    client: foundry,
    paths: ['/anthropic/v1/messages', '/anthropic/v1/messages'],
    id: /^msg_01/,
  },
]

async function textOf(stream: AsyncIterable<Anthropic.MessageStreamEvent>): Promise<string> {
  let text = ''
  for await (const event of stream) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text
  }
  return text
}

describe.each(clouds)('the client of $name', ({ client, paths, id }) => {
  test('gets a message of the model it has asked for', async () => {
    const message = await client(provider.url).messages.create(question)
    expect(message).toMatchObject({ model, stop_reason: 'end_turn', id: expect.stringMatching(id) })
    expect(message.content[0]).toMatchObject({ text: expect.stringContaining('call 1') })
    expect(provider.requests.map((call) => call.path)).toEqual([paths[0]])
  })

  test('folds the stream to the very message that is sent without one', async () => {
    const content = [
      { type: 'text', text: 'Grüße, 世界 \u{1F600}', citations: null },
      { type: 'tool_use', id: 'toolu_01', name: 'search', input: { query: 'Ünïcödé' } },
    ]
    provider.reply({ content, stopReason: 'tool_use' })
    const plain = await client(provider.url).messages.create(question)
    const { parsed_output: _, ...streamed } = await client(provider.url)
      .messages.stream(question)
      .finalMessage()
    expect({ ...streamed, id: plain.id }).toEqual({ ...plain })
    expect(plain.content).toEqual(content)
    expect(provider.requests.map((call) => call.path)).toEqual(paths)
  })

  test('sees the pieces of a stream as they are sent, and the provider sees it leave', async () => {
    provider.reply({ hang: 'mid-body' })
    const stream = await client(provider.url).messages.create({ ...question, stream: true })
    for await (const event of stream) {
      expect(event.type).toBe('message_start')
      break
    }
    await provider.requests[0]!.closedByClient
  })

  test.each([
    [400, Anthropic.BadRequestError],
    [403, Anthropic.PermissionDeniedError],
    [429, Anthropic.RateLimitError],
    [500, Anthropic.InternalServerError],
  ])('raises its typed error for the status %i', async (status, type) => {
    provider.reply({ status, error: { message: 'in my own words' } })
    const call = client(provider.url).messages.create({ ...question, stream: true })
    const error = await call.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(type)
    expect((error as Error).message).toContain('in my own words')
  })

  test("raises the model's error in the middle of a stream", async () => {
    provider.reply({ status: 200, error: { type: 'overloaded_error' } })
    const stream = await client(provider.url).messages.create({ ...question, stream: true })
    await expect(textOf(stream)).rejects.toMatchObject({ status: undefined, type: 'overloaded_error' })
  })

  test('loses a stream that is dropped in the middle', async () => {
    provider.reply({ drop: 'mid-body', text: 'some words that will not all arrive' })
    const stream = await client(provider.url).messages.create({ ...question, stream: true })
    await expect(textOf(stream)).rejects.toThrow()
    expect(await provider.requests[0]!.done).toBe('dropped')
  })

  test('loses its connection to a provider that drops the call before its headers', async () => {
    provider.reply({ drop: 'before-headers' })
    await expect(client(provider.url).messages.create(question)).rejects.toBeInstanceOf(
      Anthropic.APIConnectionError,
    )
  })

  test('retries an overloaded provider and sends the same body', async () => {
    provider.reply((_call, index) => (index === 0 ? { status: 503, headers: { 'retry-after-ms': '1' } } : {}))
    await client(provider.url, { maxRetries: 1 }).messages.create(question)
    expect(provider.calls).toBe(2)
    expect(provider.requests[0]!.rawBody).toBe(provider.requests[1]!.rawBody)
  })
})

describe('Bedrock', () => {
  test('is asked with a signature, and with model and mode in the path only', async () => {
    await bedrock(provider.url).messages.create({ ...question, model: 'eu.anthropic.claude-v1:0' })
    const [call] = provider.requests
    expect(call!.headers.authorization).toContain('AWS4-HMAC-SHA256 Credential=AKIAFAKE/')
    expect(call!.body).toEqual({
      max_tokens: question.max_tokens,
      messages: question.messages,
      anthropic_version: expect.any(String),
    })
  })

  test('names its error in a header and has a body with nothing but a message', async () => {
    provider.reply({ status: 429 })
    const body = { ...question, anthropic_version: 'bedrock-2023-05-31' }
    const response = await postTo(`${provider.url}/model/m/invoke`, body)
    expect(response.status).toBe(429)
    expect(response.headers.get('x-amzn-errortype')).toMatch(/^ThrottlingException:/)
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/)
    expect(Object.keys(await response.json())).toEqual(['message'])
  })

  test('ends a stream that AWS breaks in an exception', async () => {
    provider.reply({ status: 200, error: { type: 'ThrottlingException' } })
    const stream = await bedrock(provider.url).messages.create({ ...question, stream: true })
    await expect(textOf(stream)).rejects.toMatchObject({ type: 'throttlingException' })
  })

  test('counts what it bills in the last event', async () => {
    const stream = await bedrock(provider.url).messages.create({ ...question, stream: true })
    const events: object[] = []
    for await (const event of stream) events.push(event)
    expect(events.at(-1)).toMatchObject({
      type: 'message_stop',
      'amazon-bedrock-invocationMetrics': { inputTokenCount: expect.any(Number) },
    })
  })
})

describe('Vertex', () => {
  test("is asked with Google's token, and with the model in the path only", async () => {
    await vertex(provider.url).messages.create(question)
    const [call] = provider.requests
    expect(call!.headers.authorization).toBe('Bearer fake-google-token')
    expect(call!.body).not.toHaveProperty('model')
  })

  test("refuses in Google's words, while the model fails in Anthropic's", async () => {
    const error = async (status: number) => {
      provider.reply({ status })
      const call = vertex(provider.url).messages.create(question)
      return (await call.catch((thrown: unknown) => thrown)) as { error: unknown }
    }
    expect((await error(429)).error).toMatchObject({ error: { code: 429, status: 'RESOURCE_EXHAUSTED' } })
    expect((await error(529)).error).toMatchObject({
      error: { type: 'overloaded_error' },
      request_id: expect.stringMatching(/^req_vrtx_/),
    })
  })

  test('does not take a count of tokens for a message', async () => {
    const call = vertex(provider.url).messages.countTokens({ model, messages: question.messages })
    await expect(call).rejects.toBeInstanceOf(Anthropic.NotFoundError)
    expect(provider.calls).toBe(0)
  })
})

test.each([
  ['Bedrock', '/model/m/invoke'],
  ['Vertex', `${google}/m:rawPredict`],
])('%s refuses a body without anthropic_version', async (_name, path) => {
  provider.reply({ text: 'never sent' })
  const response = await postTo(`${provider.url}${path}`, question)
  expect(response.status).toBe(400)
  expect(await response.text()).toContain('anthropic_version: Field required')
})

test('Foundry is asked with its own key header', async () => {
  await foundry(provider.url).messages.create(question)
  expect(provider.requests[0]!.headers['x-api-key']).toBe('fake-key')
})

test('one provider serves every wire at the same time', async () => {
  const asked = [bedrock, vertex, foundry].map((client) => client(provider.url).messages.create(question))
  await Promise.all([...asked, post(provider.url, question)])
  expect(new Set((await Promise.all(asked)).map((message) => message.id)).size).toBe(3)
  expect(provider.calls).toBe(4)
})
