import { Anthropic } from '@anthropic-ai/sdk'
import type { createIdem } from '@idem/core'
import { describe, expect, test } from 'vitest'
import { messagesDialect } from '../src/index.js'
import { message } from './messages.js'
import { clientOf, params, streamed, useProvider } from './tools.js'
import { bytesOf, eventsOf, frame } from './wire.js'

const context = useProvider()

function watched() {
  const warnings: string[] = []
  const logger = { warn: (one: string) => warnings.push(one) }
  return {
    ...clientOf(context.provider, { maxRetries: 0 }, { logger, dialects: [messagesDialect] }),
    warnings,
  }
}

/** Everything a reader of a stream gets, whether or not it ends whole. */
async function read({ idem }: { idem: ReturnType<typeof createIdem> }) {
  const headers = {
    authorization: 'Bearer key-a',
    'content-type': 'application/json',
    'anthropic-version': '2026-10-21',
  }
  let text = ''
  try {
    const init = { method: 'POST', headers, body: JSON.stringify(streamed) }
    const response = await idem.fetch(`${context.provider.url}/v1/messages`, init)
    const decoder = new TextDecoder()
    for await (const bytes of response.body!) text += decoder.decode(bytes, { stream: true })
  } catch (error) {
    return { text, code: (error as { code?: string }).code }
  }
  return { text }
}

const hello = message([{ type: 'text', text: 'Hé 👍', citations: null }])
const events = eventsOf(hello, 2)
const part = (from: number, to?: number) => bytesOf(events.slice(from, to)).toString()
const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
const unnamed = (text: string) => text.replaceAll(/^event: .*\n/gm, '')

describe('a stream that ends without its last event', () => {
  test.each([
    ['the message having stopped', part(0, -1)],
    ['the message having stopped, of a relay that gives events no names', unnamed(part(0, -1))],
    ['the last event not being closed', part(0).slice(0, -1)],
    ['of events of another kind', frame('hologram', { type: 'hologram' })],
    ['of events of another kind, without names', 'data: a\n\n'],
  ])('%s, reaches all as it came, and is not stored', async (_, body) => {
    const caller = watched()
    context.provider.reply({ body, latencyMs: 20 })
    for (const reader of await Promise.all([1, 2, 3].map(() => read(caller)))) {
      expect(reader).toStrictEqual({ text: body })
    }
    expect(context.provider.calls).toBe(1)
    expect(await read(caller)).toStrictEqual({ text: body })
    expect(context.provider.calls).toBe(2)
    expect(caller.warnings).toHaveLength(1)
    expect(caller.warnings[0]).toContain('not stored')
  })

  test.each([
    ['in the middle of a text', part(0, 4)],
    ['in the middle of a text, of a relay that gives events no names', unnamed(part(0, 4))],
    ['before the message has stopped', part(0, -2)],
    ['after a ping', part(1, 2)],
    ['with an error that is not closed', part(0, 4) + frame('error', overloaded).trimEnd()],
    [
      'with an error that is not closed, when the message has stopped',
      part(0, -1) + frame('error', overloaded).slice(0, -1),
    ],
  ])('%s, cannot be told from one that was cut: every caller is told', async (_, body) => {
    const caller = watched()
    context.provider.reply({ body, latencyMs: 20 })
    const told = { text: body, code: 'IDEM_STREAM_INTERRUPTED' }
    for (const reader of await Promise.all([1, 2].map(() => read(caller)))) expect(reader).toStrictEqual(told)
    expect(context.provider.calls).toBe(1)
  })
})

describe('a relay that gives events no names', () => {
  test('is read by its data: shared, stored, and whole for callers that do not stream', async () => {
    const caller = watched()
    const body = unnamed(part(0))
    context.provider.reply({ body, latencyMs: 20 })
    for (const reader of await Promise.all([1, 2].map(() => read(caller)))) {
      expect(reader).toStrictEqual({ text: body })
    }
    expect(await read(caller)).toStrictEqual({ text: body })
    expect((await caller.client.messages.create(params)).content).toStrictEqual(hello.content)
    expect(context.provider.calls).toBe(1)
    expect(caller.warnings).toEqual([])
  })

  test('is the same to the SDK as without idem: it sees no events in it', async () => {
    const { client } = watched()
    context.provider.reply({ body: unnamed(part(0)) })
    const plain = new Anthropic({ baseURL: context.provider.url, apiKey: 'key-a', maxRetries: 0 })
    for (const one of [plain, client]) {
      const seen: unknown[] = []
      for await (const event of await one.messages.create(streamed)) seen.push(event)
      expect(seen).toEqual([])
    }
  })
})

describe('an error in a stream', () => {
  const flat = { type: 'error', message: 'Slow down.' }
  test.each<[string, string, number]>([
    ['is flat', frame('error', flat), 500],
    ['is flat, of a type', frame('error', { ...flat, type: 'overloaded_error' }), 529],
    ['is flat, without the name of the event', unnamed(frame('error', flat)), 500],
    ['has only a message', frame('error', { message: 'Slow down.' }), 500],
    ['is a member that is text', frame('error', { error: 'Slow down.' }), 500],
    ['is text', frame('error', 'Slow down.'), 500],
    ['is no JSON', 'event: error\ndata: Slow down.\n\n', 500],
  ])('reaches every caller, where it %s', async (_, error, status) => {
    for (const begin of ['', part(0, 4)]) {
      const body = (error.startsWith('data:') ? unnamed(begin) : begin) + error
      context.provider.reset()
      const caller = watched()
      context.provider.reply((_, index) => (index === 0 ? { body, latencyMs: 50 } : {}))
      const readers = [1, 2].map(() => read(caller))
      await context.provider.waitForCalls(1)
      const whole = caller.client.messages.create(params).catch((error) => error)
      for (const reader of await Promise.all(readers)) expect(reader).toStrictEqual({ text: body })
      expect(await whole).toMatchObject({ status, message: expect.stringContaining('Slow down.') })
      expect(context.provider.calls).toBe(1)
      await caller.client.messages.create(params)
      expect(context.provider.calls).toBe(2)
    }
  })
})

test('a stream that whose message cannot be known leads a caller that wants the whole to its own call', async () => {
  const caller = watched()
  const odd = { type: 'content_block_delta', index: 0, delta: { type: 'hologram_delta', text: 'x' } }
  const body = part(0, 3) + frame(odd.type, odd) + part(3)
  context.provider.reply((request) =>
    request.body.stream ? { body, latencyMs: 50 } : { body: JSON.stringify(hello) },
  )
  const stream = read(caller)
  await context.provider.waitForCalls(1)
  expect((await caller.client.messages.create(params)).content).toStrictEqual(hello.content)
  expect(await stream).toStrictEqual({ text: body })
  expect(context.provider.calls).toBe(2)
  await read(caller)
  expect(context.provider.calls).toBe(3)
  expect(caller.warnings).toHaveLength(1)
  expect(caller.warnings[0]).toMatch(
    /^idem: An answer to a messages request was not stored, since it was not understood/,
  )
})

describe('a message that is not a whole answer', () => {
  test.each<[string, object]>([
    ['an error beside it', { error: { message: 'No.' } }],
    ['no role', { role: undefined }],
    ['another role', { role: 'user' }],
    ['no content', { content: undefined }],
    ['content that is text', { content: 'Hi' }],
    ['a block that is text', { content: ['Hi'] }],
    ['no usage', { usage: undefined }],
    ['a reason to stop that is not known', { stop_reason: 'tomorrow' }],
    ['no reason to stop', { stop_reason: null }],
    ['another type', { type: 'completion' }],
  ])('is delivered, not stored, and told of once: %s', async (_, change) => {
    const { client, warnings } = watched()
    context.provider.reply({ body: JSON.stringify({ ...hello, ...change }) })
    for (let times = 1; times <= 2; times++) {
      expect(await client.messages.create(params)).toMatchObject({ id: hello.id })
      expect(context.provider.calls).toBe(times)
    }
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).not.toContain('No.')
  })

  test.each(['pause_turn', 'refusal', 'model_context_window_exceeded'])(
    'is not stored, by a known reason, without a warning: %s',
    async (stop_reason) => {
      const { client, warnings } = watched()
      context.provider.reply({ body: JSON.stringify({ ...hello, stop_reason }) })
      await client.messages.create(params)
      await client.messages.create(params)
      expect(context.provider.calls).toBe(2)
      expect(warnings).toEqual([])
    },
  )
})

test.each(['text/plain', 'application/octet-stream'])(
  'the SDK reads a stream that is declared to be %s as without idem, and it is stored',
  async (type) => {
    const { client } = watched()
    context.provider.reply({ body: bytesOf(events), headers: { 'content-type': type } })
    const plain = new Anthropic({ baseURL: context.provider.url, apiKey: 'key-a' })
    const read = (client: Anthropic) => client.messages.stream(params).finalMessage()
    const direct = await read(plain)
    expect(await Promise.all([read(client), read(client)])).toEqual([direct, direct])
    expect(await read(client)).toEqual(direct)
    expect((await client.messages.create(params)).content).toEqual(direct.content)
    expect(context.provider.calls).toBe(2)
  },
)
