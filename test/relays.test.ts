import { createAnthropic } from '@ai-sdk/anthropic'
import { messagesDialect } from '@idem/anthropic'
import { createIdem } from '@idem/core'
import { type Provider, startProvider } from '@idem/testing'
import { generateText, streamText } from 'ai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider.stop())

type Fetch = typeof globalThis.fetch
const asking = (fetch: Fetch) => {
  const anthropic = createAnthropic({ baseURL: `${provider.url}/v1`, apiKey: 'key', fetch })
  return { model: anthropic('claude-opus-4-5'), prompt: 'What is idempotency?', maxRetries: 0 }
}

/** What the SDK makes of a stream: all parts but their times, with the errors among them. */
async function partsIn(fetch: Fetch): Promise<unknown[]> {
  const parts: unknown[] = []
  for await (const part of streamText({ ...asking(fetch), onError() {} }).fullStream) {
    if (part.type === 'error') parts.push({ type: 'error', told: String(part.error) })
    else if (['text-delta', 'finish'].includes(part.type)) parts.push(part)
  }
  return parts
}

/** The events of a stream of the API, each with its name. */
const events = [
  {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-opus-4-5',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 7, output_tokens: 1 },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Once ' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'only.' } },
  { type: 'content_block_stop', index: 0 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 3 },
  },
  { type: 'message_stop' },
]
const named = (some: readonly { type: string }[]) =>
  some.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
const unnamed = (some: readonly object[]) =>
  some.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
const error = { type: 'error', error: { type: 'overloaded_error', message: 'Slow down.' } }

describe('a relay of the Messages API, read by the AI SDK', () => {
  test.each<[string, string, number]>([
    ['gives events no names', unnamed(events), 1],
    ['leaves the last event out', named(events.slice(0, -1)), 2],
    ['does both', unnamed(events.slice(0, -1)), 2],
    ['does not close the last event', named(events).trimEnd(), 2],
    ['fails, and gives events no names', unnamed([...events.slice(0, 3), error]), 2],
    ['fails at once, and gives events no names', unnamed([error]), 2],
  ])('that %s is read as without idem', async (_, body, calls) => {
    const idem = createIdem({ dialects: [messagesDialect], logger: { warn() {} } })
    provider.reply({ body, latencyMs: 20 })
    const direct = await partsIn(globalThis.fetch)
    expect(direct.length).toBeGreaterThan(0)
    provider.reset()
    provider.reply({ body, latencyMs: 20 })
    const fetch = idem.fetch as Fetch
    expect(await Promise.all([partsIn(fetch), partsIn(fetch)])).toEqual([direct, direct])
    expect(provider.calls).toBe(1)
    expect(await partsIn(fetch)).toEqual(direct)
    expect(provider.calls).toBe(calls)
  })

  test('that gives events no names has one answer for callers that stream and callers that do not', async () => {
    const idem = createIdem({ dialects: [messagesDialect] })
    provider.reply({ body: unnamed(events) })
    await partsIn(idem.fetch as Fetch)
    expect((await generateText(asking(idem.fetch as Fetch))).text).toBe('Once only.')
    expect(provider.calls).toBe(1)
  })
})
