import type { JsonObject } from '@idem/core'
import { describe, expect, test } from 'vitest'
import { chatDialect, embeddingsDialect, openaiDialects, responsesDialect } from '../src/index.js'
import { chat } from './calls.js'
import { type Choice, call as chatCall, choice, completion, text } from './completions.js'
import { call, cutShort, type Item, message, response, text as responseText } from './responses.js'

const identify = (body: JsonObject, headers: Record<string, string> = {}, dialect = chatDialect) =>
  dialect.identify(new Headers(headers), body)

describe('each dialect', () => {
  test.each([
    [chatDialect, 'chat', 'https://api.openai.com/v1/chat/completions'],
    [chatDialect, 'chat', 'https://x.azure.com/openai/deployments/d/chat/completions?api-version=1'],
    [responsesDialect, 'responses', 'https://api.openai.com/v1/responses'],
    [responsesDialect, 'responses', 'https://api.openai.com/v1/responses?beta=true'],
    [embeddingsDialect, 'embeddings', 'https://api.openai.com/v1/embeddings'],
  ])('is for a POST to its own path: $door', (dialect, door, url) => {
    expect(openaiDialects.filter((one) => one.matches({ method: 'POST', url }))).toEqual([dialect])
    expect(openaiDialects.some((one) => one.matches({ method: 'GET', url }))).toBe(false)
    expect(dialect.door).toBe(door)
  })

  test.each([
    '/v1/completions',
    '/v1/responses/resp_1/cancel',
    '/v1/responses/input_tokens',
    '/v1/responses/compact',
    '/v1/chat/completions/c',
    '/v1/images/generations',
  ])('is not for %s', (path) => {
    const request = { method: 'POST', url: `https://api.openai.com${path}` }
    expect(openaiDialects.some((one) => one.matches(request))).toBe(false)
  })

  test.each(openaiDialects)('has all of the body in the key but how it is delivered: $door', (dialect) => {
    const body = { model: 'm', user: 'u', metadata: { a: 1 }, seed: 1, service_tier: 'flex', tomorrow: [1] }
    const whole = identify({ ...body, stream: false }, {}, dialect)
    expect(whole.body).toStrictEqual(body)
    expect(whole.streaming).toBe(false)
    const streamed = {
      ...body,
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
    }
    expect(identify(streamed, {}, dialect).streaming).toBe(true)
    if (dialect === chatDialect) expect(identify(streamed, {}, dialect).body).toStrictEqual(body)
  })

  test.each(openaiDialects)('is told whose request it is by all credentials: $door', (dialect) => {
    const shown: Record<string, string>[] = [
      {},
      { authorization: 'Bearer a' },
      { authorization: 'Bearer b' },
      { 'api-key': 'a' },
      { authorization: 'Bearer a', 'api-key': 'a' },
      { 'ocp-apim-subscription-key': 'a' },
    ]
    const credentials = shown.map((headers) => identify({}, headers, dialect).credential)
    expect(credentials[0]).toBeUndefined()
    expect(new Set(credentials).size).toBe(credentials.length)
  })

  test.each(openaiDialects)(
    'has the headers that change the answer in the key, and no other: $door',
    (dialect) => {
      const { headers } = identify({}, {}, dialect)
      for (const name of ['openai-organization', 'openai-project', 'openai-beta', 'x-policy-id']) {
        expect(identify({}, { [name]: 'x' }, dialect).headers).not.toEqual(headers)
      }
      const others = { 'user-agent': 'x', 'x-stainless-retry-count': '1', traceparent: 'x', accept: 'x' }
      expect(identify({}, others, dialect).headers).toStrictEqual(headers)
      const betas = ['b, a', 'a,b , a'].map((one) => identify({}, { 'openai-beta': one }, dialect).headers)
      expect(betas[0]).toStrictEqual(betas[1])
    },
  )

  test.each(openaiDialects)('knows a retry by the SDK’s count: $door', (dialect) => {
    const counts = ['0', '1', '2'].map((count) => identify({}, { 'x-stainless-retry-count': count }, dialect))
    expect(counts.map(({ isRetry }) => isRetry)).toEqual([false, true, true])
    expect(identify({}, {}, dialect).isRetry).toBe(false)
  })

  test.each(openaiDialects)('puts an error of idem in OpenAI’s shape: $door', (dialect) => {
    const error = { code: 'IDEM_WAIT_TIMEOUT', status: 504, message: 'Oh.' }
    expect(dialect.errorBody(error)).toStrictEqual({
      error: { message: 'Oh.', type: 'server_error', param: null, code: 'IDEM_WAIT_TIMEOUT' },
    })
    expect(dialect.errorBody({ ...error, status: 422 })).toMatchObject({
      error: { type: 'invalid_request_error' },
    })
  })

  test.each(openaiDialects)('takes no other JSON for an answer: $door', (dialect) => {
    for (const body of [{}, { choices: {} }, { output: [1] }, { data: 1 }, { error: {} }]) {
      expect(() => dialect.assess(body, {})).toThrow()
    }
  })
})

describe('a request asks for variety', () => {
  test.each([
    [{}, false],
    [{ temperature: 0 }, false],
    [{ temperature: null, top_p: null, n: null }, false],
    [{ temperature: 0.1 }, true],
    [{ temperature: 1 }, true],
    [{ top_p: 1 }, false],
    [{ top_p: 0.5 }, true],
    [{ n: 1 }, false],
    [{ n: 2 }, true],
    [{ temperature: 1, n: 2, seed: 7 }, false],
    [{ temperature: 1, seed: 0 }, false],
    [{ temperature: 1, seed: null }, true],
  ])('by its sampling, unless it has a seed: %j', (body, isSampled) => {
    for (const dialect of openaiDialects) expect(identify(body, {}, dialect).isSampled).toBe(isSampled)
  })
})

describe('a chat stream', () => {
  const streamed = { ...chat, stream: true }
  const bodyOf = (options: unknown) => identify({ ...streamed, stream_options: options }).body

  test('with usage is the same request as a completion', () => {
    expect(bodyOf({ include_usage: true })).toStrictEqual(identify(chat).body)
  })

  test.each([undefined, null, {}, { include_usage: false }, { include_obfuscation: true }])(
    'without usage is another request: %j',
    (options) => expect(bodyOf(options)).toStrictEqual({ ...chat, stream: true }),
  )

  test.each(['yes', { include_usage: 'yes' }, { include_usage: true, tomorrow: 1 }])(
    'with options that mean something else keeps them in its key: %j',
    (options) => expect(bodyOf(options)).toHaveProperty('stream_options'),
  )
})

describe('a completion', () => {
  const keep = (...choices: Choice[]) => chatDialect.assess(completion(choices), {}).keep
  const hi = text('Hi')

  test.each([
    ['stop', 'store'],
    ['length', 'store'],
    ['tool_calls', 'tool-calls'],
    ['function_call', 'tool-calls'],
    ['content_filter', 'share'],
    ['tomorrow', 'share'],
    [null, 'share'],
  ])('that finished by %s is to %s', (finish_reason, kept) => {
    expect(keep(text('Hi', { finish_reason }))).toBe(kept)
    expect(keep(hi, text('Hi', { finish_reason }))).toBe(kept)
  })

  test.each([
    ['nothing', []],
    ['a refusal', [hi, choice({ refusal: 'No.' })]],
    ['audio, which has an id that ends', [choice({ audio: { id: 'a' } })]],
    ['what is no choice', [1 as unknown as Choice]],
  ])('of %s is shared, and not stored', (_, choices) => expect(keep(...choices)).toBe('share'))

  test.each([{ tool_calls: [chatCall('a', '{}')] }, { function_call: { name: 'a', arguments: '' } }])(
    'asks for tools though it finished by stop, where there was no choice: %j',
    (message) => expect(keep(choice(message))).toBe('tool-calls'),
  )

  test('is counted under the model that answered, without what the cache holds', () => {
    const { model, usage } = chatDialect.assess(completion([hi]), {})
    expect(model).toBe('gpt-5.4-mini-2026-03-17')
    expect(usage).toStrictEqual({ input: 12, output: 10, cacheRead: 4, cacheWrite5m: 3, thinking: 6 })
  })

  test.each([null, undefined, 1])('without usage is not counted: %j', (usage) => {
    expect(chatDialect.assess(completion([hi], { usage }), {}).usage).toBeUndefined()
  })

  test('with counts that are null, missing or too large is counted with those it has', () => {
    const counts = { prompt_tokens: 5, completion_tokens: null, prompt_tokens_details: { cached_tokens: 7 } }
    const { usage } = chatDialect.assess(completion([hi], { usage: counts }), {})
    expect(usage).toMatchObject({ input: 0, output: 0, cacheRead: 7, thinking: 0 })
  })
})

describe('a response', () => {
  const keep = (output: Item[], change = {}, body = {}) =>
    responsesDialect.assess(response(output, change), body).keep
  const hi = message(responseText('Hi'))
  const item = (type: string): Item => ({ type, id: 'x' })

  test.each([
    ['completed', {}, 'store'],
    ['cut short', cutShort, 'store'],
    ['filtered', { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, 'share'],
    ['incomplete for no reason', { status: 'incomplete', incomplete_details: null }, 'share'],
    ['failed', { status: 'failed' }, 'share'],
    ['queued', { status: 'queued' }, 'share'],
    ['running', { status: 'in_progress' }, 'share'],
    ['cancelled', { status: 'cancelled' }, 'share'],
  ])('that is %s: %j, is to %s', (_, change, kept) => expect(keep([hi], change)).toBe(kept))

  test.each([
    ['reasoning', 'store'],
    ['web_search_call', 'store'],
    ['file_search_call', 'store'],
    ['image_generation_call', 'store'],
    ['mcp_call', 'store'],
    ['function_call', 'tool-calls'],
    ['custom_tool_call', 'tool-calls'],
    ['shell_call', 'tool-calls'],
    ['apply_patch_call', 'tool-calls'],
    ['computer_call', 'share'],
    ['code_interpreter_call', 'share'],
    ['mcp_approval_request', 'share'],
    ['hologram', 'share'],
    ['constructor', 'share'],
  ])('with a %s is to %s', (type, kept) => {
    expect(keep([item(type), hi])).toBe(kept)
    if (kept === 'share') expect(keep([call(), item(type)])).toBe('share')
  })

  test('of a refusal is shared, and not stored', () => {
    expect(keep([message({ type: 'refusal', refusal: 'No.' })])).toBe('share')
  })

  test.each([
    [{ previous_response_id: 'resp_1' }, 'share'],
    [{ conversation: 'conv_1' }, 'share'],
    [{ conversation: { id: 'conv_1' } }, 'share'],
    [{ background: true }, 'share'],
    [{ previous_response_id: null, conversation: null, background: false }, 'store'],
    [{ store: true }, 'store'],
    [{ store: false }, 'store'],
  ])('to a request with %j is to %s', (body, kept) => expect(keep([hi], {}, body)).toBe(kept))

  test('is counted under the model that answered, without what the cache holds', () => {
    const { model, usage } = responsesDialect.assess(response([hi]), {})
    expect(model).toBe('gpt-5.4-2026-03-05')
    expect(usage).toMatchObject({ input: 21, output: 87, cacheRead: 10, cacheWrite5m: 5, thinking: 64 })
  })

  test('is counted with its web searches, and the pages it opened', () => {
    const actions = [{ type: 'search' }, { type: 'open_page' }, { type: 'find_in_page' }, undefined]
    const output = actions.map((action) => ({ ...item('web_search_call'), action }))
    expect(responsesDialect.assess(response(output), {}).usage).toMatchObject({
      webSearches: 2,
      webFetches: 1,
    })
  })
})

describe('the prices', () => {
  const { models } = chatDialect.prices!

  test('are the same for all, one a model, in dollars', () => {
    for (const { prices } of openaiDialects) expect(prices!.models).toBe(models)
    for (const price of Object.values(models)) {
      for (const amount of Object.values(price)) expect(amount).toBeGreaterThan(0)
      expect(price.cacheRead ?? 0).toBeLessThan(price.input)
    }
  })

  test('of writing to the cache are a quarter more, where it costs', () => {
    const written = Object.entries(models).filter(([, { cacheWrite5m }]) => cacheWrite5m)
    expect(written.map(([name]) => name).sort()).toEqual(['gpt-5.6-luna', 'gpt-5.6-sol', 'gpt-5.6-terra'])
    for (const [, { input, cacheWrite5m }] of written) expect(cacheWrite5m).toBeCloseTo(input * 1.25, 10)
  })
})
