import { createIdem } from '@idem/core'
import { describe, expect, test } from 'vitest'
import { messagesDialect } from '../src/index.js'

const idem = createIdem()

/** The digest by which idem knows a request. */
async function keyOf(
  body: unknown,
  headers: Record<string, string> = {},
  url = 'https://api.anthropic.com/v1/messages',
) {
  const response = await idem.exchange({
    dialect: messagesDialect,
    request: {
      url,
      method: 'POST',
      headers: new Headers({ authorization: 'Bearer key', 'anthropic-version': '2026-10-21', ...headers }),
      body: typeof body === 'string' ? body : JSON.stringify(body),
    },
    send: async () => Response.json({ type: 'message', stop_reason: 'pause_turn' }),
  })
  // Without a model or messages it is not a request of this API: it passes through.
  return /key="(.*)"/.exec(response.headers.get('cache-status') ?? '')?.[1] ?? 'not shared'
}

/** Every parameter of the Messages API, those of the beta and of earlier versions included. */
const examples = {
  plain: { model: 'claude-opus-4-5', max_tokens: 64, messages: [{ role: 'user', content: 'Hi' }] },
  'with everything that shapes the answer': {
    model: 'claude-opus-4-5',
    max_tokens: 64,
    system: [{ type: 'text', text: 'Be brief', cache_control: { type: 'ephemeral', ttl: '1h' } }],
    messages: [
      {
        role: 'user',
        content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } }],
      },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm', signature: 'sig' }] },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'ok', is_error: false }],
      },
    ],
    stop_sequences: ['END', 'STOP'],
    temperature: 0.5,
    top_p: 0.9,
    top_k: 5,
    thinking: { type: 'enabled', budget_tokens: 1_024 },
    tools: [
      {
        name: 't',
        description: 'd',
        input_schema: { type: 'object', properties: { a: { type: 'string' } } },
      },
    ],
    tool_choice: { type: 'tool', name: 't', disable_parallel_tool_use: true },
    output_config: { effort: 'high', format: { type: 'json_schema', schema: {} }, task_budget: 5 },
    mcp_servers: [{ type: 'url', url: 'https://mcp', name: 'm', authorization_token: 'secret' }],
    context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
    compaction: { type: 'auto' },
    fallbacks: ['claude-haiku-4-5'],
  },
  'with what costs, routes or attributes': {
    model: 'claude-opus-4-5',
    max_tokens: 64,
    messages: [],
    cache_control: { type: 'ephemeral' },
    service_tier: 'auto',
    speed: 'fast',
    inference_geo: 'us',
    billing_policy: 'a',
    metadata: { user_id: 'u' },
    container: 'c',
    thread: { type: 'create' },
    fallback_credit_token: 'f',
    diagnostics: { previous_message_id: 'm' },
  },
}

describe.each(Object.entries(examples))('the key of a request %s', (_, body) => {
  test('is another one when any of its fields is another, is gone, or is new', async () => {
    const key = await keyOf(body)
    const changed = [...changes(body), ...additions(body)]
    expect(changed.length).toBeGreaterThan(8)
    for (const change of changed) expect(await keyOf(change), JSON.stringify(change)).not.toBe(key)
  })

  test('is the same in whatever order, with whatever spaces, streamed or not', async () => {
    const key = await keyOf(body)
    const backwards = Object.fromEntries(Object.entries(body).reverse())
    for (const same of [
      backwards,
      { ...body, stream: false },
      { stream: true, ...body },
      JSON.stringify(body, null, 3),
    ]) {
      expect(await keyOf(same)).toBe(key)
    }
  })
})

describe('headers', () => {
  const key = () => keyOf(examples.plain)

  test.each([
    ['anthropic-version', '2023-06-01'],
    ['anthropic-beta', 'a'],
    ['anthropic-user-profile-id', 'u'],
    ['anthropic-workspace-id', 'w'],
    ['authorization', 'Bearer other'],
    ['x-api-key', 'other'],
  ])('%s is in the key', async (name, value) => {
    expect(await keyOf(examples.plain, { [name]: value })).not.toBe(await key())
  })

  test.each([
    ['x-stainless-retry-count', '2'],
    ['x-stainless-timeout', '600'],
    ['x-stainless-helper-method', 'stream'],
    ['user-agent', 'other'],
    ['accept', 'text/event-stream'],
    ['traceparent', '00-1-2-3'],
  ])('%s is not', async (name, value) => {
    expect(await keyOf(examples.plain, { [name]: value })).toBe(await key())
  })

  test('betas are a set', async () => {
    const one = await keyOf(examples.plain, { 'anthropic-beta': 'b, a,a' })
    expect(await keyOf(examples.plain, { 'anthropic-beta': 'a,b' })).toBe(one)
    expect(await keyOf(examples.plain, { 'anthropic-beta': 'a' })).not.toBe(one)
  })

  test('the host and the path are in the key', async () => {
    expect(await keyOf(examples.plain, {}, 'https://gateway/v1/messages')).not.toBe(await key())
    expect(await keyOf(examples.plain, {}, 'https://api.anthropic.com/eu/v1/messages')).not.toBe(await key())
  })
})

/** The value with one leaf changed, or one member or item taken out. */
function* changes(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (const index of value.keys()) {
      yield value.toSpliced(index, 1)
      for (const change of changes(value[index])) yield value.with(index, change)
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      const { [name]: _, ...rest } = value as Record<string, unknown>
      yield rest
      for (const change of changes(member)) yield { ...value, [name]: change }
    }
  } else yield typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${value} `
}

/** The value with an unknown member added, once at each depth. */
function* additions(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (const index of value.keys()) for (const one of additions(value[index])) yield value.with(index, one)
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, a_parameter_of_tomorrow: null }
    for (const [name, member] of Object.entries(value))
      for (const one of additions(member)) yield { ...value, [name]: one }
  }
}
