import Anthropic from '@anthropic-ai/sdk'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type ContentBlock, type Provider, startProvider } from '../src/index.js'
import { client, question } from './messages.js'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
afterEach(() => provider.reset())
afterAll(() => provider.stop())

const blocks: ContentBlock[] = [
  { type: 'thinking', thinking: 'Let me see now.', signature: 'c2lnbmVk' },
  { type: 'redacted_thinking', data: 'aGlkZGVu' },
  { type: 'text', text: 'Grüße, 世界 \u{1F600}\n\nand more.', citations: null },
  {
    type: 'text',
    text: 'Quoted.',
    citations: [
      {
        type: 'char_location',
        cited_text: 'Q',
        document_index: 0,
        document_title: null,
        start_char_index: 0,
        end_char_index: 1,
        file_id: null,
      },
    ],
  },
  {
    type: 'tool_use',
    id: 'toolu_01',
    name: 'search',
    input: { query: 'Ünïcödé \u{1F600}', deep: { a: [1, 2] } },
  },
  { type: 'tool_use', id: 'toolu_02', name: 'nothing', input: {} },
]

test('the official client gets a message, with the request id of the header', async () => {
  const message = await client(provider.url).messages.create(question)
  expect(message.content[0]).toMatchObject({ type: 'text', text: expect.stringContaining('call 1') })
  expect(message._request_id).toMatch(/^req_/)
  expect(provider.requests[0]!.headers['anthropic-version']).toBe('2026-10-21')
})

test('the official client folds the stream to the very message that is sent without one', async () => {
  provider.reply({ content: blocks, stopReason: 'tool_use' })
  const plain = await client(provider.url).messages.create(question)
  const { parsed_output: _, ...streamed } = await client(provider.url)
    .messages.stream(question)
    .finalMessage()
  expect({ ...streamed, id: plain.id }).toEqual({ ...plain })
  expect(plain.content).toEqual(blocks)
  expect(plain.stop_reason).toBe('tool_use')
})

test('the official client counts what is streamed as the provider does', async () => {
  provider.reply({ text: 'the same text for both' })
  const plain = await client(provider.url).messages.create(question)
  const streamed = await client(provider.url).messages.stream(question).finalMessage()
  expect(streamed.usage).toEqual(plain.usage)
})

test('the official client raises its typed error for an overloaded provider', async () => {
  provider.reply({ status: 529 })
  const error = await client(provider.url)
    .messages.create(question)
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Anthropic.APIError)
  expect(error).toMatchObject({
    status: 529,
    type: 'overloaded_error',
    requestID: expect.stringMatching(/^req_/),
  })
})

test('the official client retries a 529 and sends the same body', async () => {
  provider.reply((_request, index) =>
    index === 0 ? { status: 529, headers: { 'retry-after-ms': '1' } } : {},
  )
  await client(provider.url, { maxRetries: 1 }).messages.create(question)
  expect(provider.requests.map((call) => call.headers['x-stainless-retry-count'])).toEqual(['0', '1'])
  expect(provider.requests[0]!.rawBody).toBe(provider.requests[1]!.rawBody)
})

test('the official client raises the error event of a stream', async () => {
  provider.reply({ status: 200, error: { type: 'overloaded_error' } })
  await expect(client(provider.url).messages.stream(question).finalMessage()).rejects.toMatchObject({
    type: 'overloaded_error',
  })
})

test('the official client sees a dropped call as a lost connection', async () => {
  provider.reply({ drop: 'before-headers' })
  await expect(client(provider.url).messages.create(question)).rejects.toBeInstanceOf(
    Anthropic.APIConnectionError,
  )
})

test('the official client times out on a hanging call, and the provider sees it leave', async () => {
  provider.reply({ hang: true })
  const next = provider.nextCall()
  const answer = client(provider.url, { timeout: 200 }).messages.create(question)
  await expect(answer).rejects.toBeInstanceOf(Anthropic.APIConnectionTimeoutError)
  await (await next).closedByClient
  expect(provider.requests[0]!.state).toBe('aborted')
})
