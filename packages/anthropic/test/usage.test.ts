import { describe, expect, test } from 'vitest'
import { messagesDialect } from '../src/index.js'
import { prices } from '../src/prices.js'
import { clientOf, params, streamed, useProvider } from './tools.js'

const context = useProvider()

const usage = {
  input_tokens: 10,
  output_tokens: 700,
  cache_creation_input_tokens: 30,
  cache_read_input_tokens: 4_000,
  cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 10 },
  output_tokens_details: { thinking_tokens: 600 },
  server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
}

function messageWith(used: object) {
  const { model } = params
  const content = [{ type: 'text', text: 'Hi' }]
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: 'end_turn',
    usage: used,
  }
}

function assessed(used: unknown) {
  return messagesDialect.assess({ ...messageWith({}), usage: used }, {}).usage
}

describe('usage', () => {
  const counted = {
    input: 10,
    output: 700,
    cacheWrite5m: 20,
    cacheWrite1h: 10,
    cacheRead: 4_000,
    thinking: 600,
    webSearches: 2,
    webFetches: 1,
  }

  test('is counted by kind', () => {
    expect(assessed(usage)).toEqual(counted)
  })

  test('of cache writes that are not told apart is that of 5 minutes', () => {
    expect(assessed({ ...usage, cache_creation: null })).toMatchObject({ cacheWrite5m: 30, cacheWrite1h: 0 })
  })

  test('that is null or missing counts as 0', () => {
    expect(assessed({ input_tokens: 1, output_tokens: 2, server_tool_use: null })).toMatchObject({
      input: 1,
      output: 2,
      cacheRead: 0,
      webSearches: 0,
    })
    expect(assessed(undefined)).toBeUndefined()
  })

  test.each(['messages', 'streams'])('of %s is what was saved, and its price', async (form) => {
    const { client, idem } = clientOf(context.provider)
    context.provider.reply({ body: JSON.stringify(messageWith(usage)) })
    await client.messages.create(params)
    context.provider.reply({})
    if (form === 'streams') await (await client.messages.create(streamed).asResponse()).text()
    else await client.messages.create(params)
    const { saved } = idem.stats()
    expect(saved).toMatchObject({ calls: 1, tokens: 4_740, usage: counted })
    // claude-opus-4-5: 5 in, 25 out, 0.5 read, 6.25 and 10 written, a million; 10 a thousand searches.
    const tokens = 10 * 5 + 700 * 25 + 4_000 * 0.5 + 20 * 6.25 + 10 * 10
    expect(saved.dollars).toBeCloseTo(tokens / 1_000_000 + 0.02)
  })

  test('of a stream that was recorded is what was saved by later callers of either form', async () => {
    const { client, idem } = clientOf(context.provider)
    await (await client.messages.create(streamed).asResponse()).text()
    const { usage: used } = await client.messages.create(params)
    expect(used.output_tokens).toBeGreaterThan(0)
    const counts = { input: used.input_tokens, output: used.output_tokens }
    expect(idem.stats().saved.usage).toMatchObject(counts)
  })
})

test('idem and prompt caching stack: cache_control goes to the provider, and what it saved there is counted', async () => {
  const { client, idem } = clientOf(context.provider)
  context.provider.reply({ body: JSON.stringify(messageWith(usage)) })
  const system = [
    { type: 'text' as const, text: 'A long text', cache_control: { type: 'ephemeral' as const } },
  ]
  const first = await client.messages.create({ ...params, system })
  expect(context.provider.requests[0]?.body.system).toEqual(system)
  expect(await client.messages.create({ ...params, system })).toStrictEqual(first)
  expect(context.provider.calls).toBe(1)
  expect(idem.stats().saved.usage).toMatchObject({ cacheRead: 4_000, cacheWrite5m: 20, cacheWrite1h: 10 })
})

test('a retry after a timeout is counted apart: its first try is what it was given', async () => {
  const { client, idem } = clientOf(context.provider, { timeout: 60, maxRetries: 5 })
  context.provider.reply({ latencyMs: 150 })
  await client.messages.create(params)
  expect(context.provider.calls).toBe(1)
  expect(idem.stats().saved.retryCollapsed.calls).toBe(1)
  expect(idem.stats().saved).toMatchObject({ calls: 1, replayed: { calls: 0 }, collapsed: { calls: 0 } })
})

describe('stop reasons', () => {
  test.each([
    ['end_turn', 'store'],
    ['stop_sequence', 'store'],
    ['max_tokens', 'store'],
    ['tool_use', 'tool-calls'],
    ['pause_turn', 'share'],
    ['refusal', 'share'],
    ['model_context_window_exceeded', 'share'],
    ['of_tomorrow', 'share'],
    [null, 'share'],
  ])('%s: %s', (stop_reason, keep) => {
    expect(messagesDialect.assess({ ...messageWith({}), stop_reason }, {}).keep).toBe(keep)
  })

  test.each([
    ['a container', { container: 'c' }, {}],
    ['a thread', { thread: { type: 'create' } }, {}],
    ['a token that can be used once', { fallback_credit_token: 't' }, {}],
    ['a container of the answer', {}, { container: { id: 'c' } }],
  ])('with %s nothing is stored', (_, body, answer) => {
    const message = { ...messageWith({}), ...answer }
    expect(messagesDialect.assess(message, body).keep).toBe('share')
    expect(messagesDialect.assess({ ...message, stop_reason: 'tool_use' }, body).keep).toBe('share')
  })
})

test.each([
  [{}, false],
  [{ temperature: 0 }, false],
  [{ temperature: 1 }, true],
  [{ temperature: 0.1 }, true],
  [{ top_p: 1 }, false],
  [{ top_p: 0.9 }, true],
  [{ top_p: null, top_k: null, temperature: null }, false],
  [{ top_k: 40 }, true],
])('%j asks for variety: %s', (body, isSampled) => {
  expect(messagesDialect.identify({ model: 'm', messages: [], ...body }).isSampled).toBe(isSampled)
})

test('prices are dollars of models as they are named without a date, of a day', () => {
  expect(prices.date).toMatch(/^\d{4}-\d{2}-\d{2}$/)
  for (const [model, price] of Object.entries(prices.models)) {
    expect(model).not.toMatch(/\d{8}$/)
    expect(price.output).toBeGreaterThan(price.input)
    expect(price.cacheRead).toBeLessThan(price.input)
    expect(price.cacheWrite1h).toBeGreaterThan(price.cacheWrite5m!)
  }
})
