import type { JsonObject } from '@idem/core/dialect'
import { describe, expect, test } from 'vitest'
import { chatDialect, embeddingsDialect, openaiDialects, responsesDialect } from '../src/index.js'
import { chat } from './calls.js'
import { type Choice, call as chatCall, choice, completion, text } from './completions.js'
import { call, cutShort, type Item, message, response, text as responseText } from './responses.js'

/** Members that make a body a request of any of the three APIs. */
const least = { model: 'm', messages: [], input: 'i' }
const identify = (body: JsonObject, dialect = chatDialect) => dialect.identify({ ...least, ...body })

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
    const body = { ...least, user: 'u', metadata: { a: 1 }, seed: 1, service_tier: 'flex', tomorrow: [1] }
    const whole = identify({ ...body, stream: false }, dialect)
    expect(whole.body).toStrictEqual(body)
    expect(whole.streaming).toBe(false)
    const streamed = {
      ...body,
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
    }
    expect(identify(streamed, dialect).streaming).toBe(true)
    if (dialect === chatDialect) expect(identify(streamed, dialect).body).toStrictEqual(body)
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

describe('a request', () => {
  test.each<[string, JsonObject]>([
    ['chat', { model: 'm' }],
    ['chat', { model: 'm', messages: 'Hi' }],
    ['responses', { input: 'Hi' }],
    ['embeddings', { model: 'm' }],
  ])('that lacks what its API needs is not of a dialect, and passes through: %s %j', (door, body) => {
    const dialect = openaiDialects.find((one) => one.door === door)!
    expect(() => dialect.identify(body)).toThrow(TypeError)
  })

  test.each(openaiDialects)('keeps a `stream` that is not a boolean in its key: $door', (dialect) => {
    for (const stream of ['true', 1, 0, {}, []]) {
      expect(identify({ stream }, dialect).body).toHaveProperty('stream', stream)
    }
    for (const stream of [true, false, null]) {
      expect(identify({ stream, stream_options: { include_usage: true } }, dialect).body).not.toHaveProperty(
        'stream',
      )
    }
  })

  test('without a stream keeps its stream_options in its key', () => {
    const options = { stream_options: { include_usage: true } }
    expect(identify(options).body).toHaveProperty('stream_options')
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
    for (const dialect of openaiDialects) expect(identify(body, dialect).isSampled).toBe(isSampled)
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
    (options) => expect(bodyOf(options)).toStrictEqual({ ...least, ...chat, stream: true }),
  )

  test.each(['yes', { include_usage: 'yes' }, { include_usage: true, tomorrow: 1 }])(
    'with options that mean something else keeps them in its key: %j',
    (options) => expect(bodyOf(options)).toHaveProperty('stream_options'),
  )
})

describe('a completion', () => {
  const assess = (...choices: Choice[]) => {
    const numbered = choices.map((one, index) => (typeof one === 'object' ? { ...one, index } : one))
    return chatDialect.assess(completion(numbered), { n: choices.length })
  }
  const keep = (...choices: Choice[]) => assess(...choices).keep
  const hi = text('Hi')

  test.each([
    ['stop', 'store', false],
    ['length', 'store', false],
    ['tool_calls', 'tool-calls', false],
    ['function_call', 'tool-calls', false],
    ['content_filter', 'share', false],
    ['tomorrow', 'share', true],
    ['error', 'share', true],
    [null, 'share', true],
  ])('that finished by %s is to %s', (finish_reason, kept, isDoubted) => {
    expect(keep(text('Hi', { finish_reason }))).toBe(kept)
    expect(keep(hi, text('Hi', { finish_reason }))).toBe(kept)
    // A warning tells of what is not understood, and not of what is known not to be stored.
    expect(assess(hi, text('Hi', { finish_reason })).doubt !== undefined).toBe(isDoubted)
  })

  test.each([
    ['nothing', []],
    ['a refusal', [hi, choice({ refusal: 'No.' })]],
    ['audio, which has an id that ends', [choice({ audio: { id: 'a' } })]],
    ['what is not a choice', [1 as unknown as Choice]],
    ['a choice without a message', [{ index: 0, finish_reason: 'stop' } as unknown as Choice]],
    ['an error beside a message', [hi, text('Hi', { error: { message: 'No.' } })]],
    ['an error in a message', [choice({ content: 'Hi', error: 'No.' })]],
  ])('of %s is shared, and not stored', (_, choices) => expect(keep(...choices)).toBe('share'))

  test.each<[string, object, object, string]>([
    ['one', completion([hi]), {}, 'store'],
    ['one for null', completion([hi]), { n: null }, 'store'],
    ['two for two', completion([hi, { ...hi, index: 1 }]), { n: 2 }, 'store'],
    ['two in another order', completion([{ ...hi, index: 1 }, hi]), { n: 2 }, 'store'],
    ['one for two', completion([hi]), { n: 2 }, 'share'],
    ['two for one', completion([hi, { ...hi, index: 1 }]), {}, 'share'],
    ['one, twice', completion([hi, hi]), { n: 2 }, 'share'],
    ['one of two', completion([{ ...hi, index: 1 }]), {}, 'share'],
    ['one by the name of its number', completion([{ ...hi, index: '0' } as unknown as Choice]), {}, 'share'],
    ['an error beside one', { ...completion([hi]), error: { message: 'No.' } }, {}, 'share'],
    ['an error that is text beside one', { ...completion([hi]), error: 'No.' }, {}, 'share'],
    ['no error beside one', { ...completion([hi]), error: null }, {}, 'store'],
  ])('with %s is kept as an answer to its request only where it is one: %#', (_, whole, body, kept) => {
    const { keep, doubt } = chatDialect.assess(whole as JsonObject, body as JsonObject)
    expect(keep).toBe(kept)
    expect(doubt === undefined).toBe(kept === 'store')
  })

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
  const assess = (output: Item[], change = {}, body = {}) =>
    responsesDialect.assess(response(output, change), body)
  const keep = (output: Item[], change = {}, body = {}) => assess(output, change, body).keep
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
    ['told of with an error', { error: { code: 'server_error', message: 'Oh.' } }, 'share'],
    ['told of with an error that is text', { error: 'Oh.' }, 'share'],
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

  test.each<[string, Item[], object, boolean]>([
    ['no status', [hi], { status: undefined }, true],
    ['a status that is null', [hi], { status: null }, true],
    ['a status not known yet', [hi], { status: 'done' }, true],
    ['no reason why it is incomplete', [hi], { status: 'incomplete', incomplete_details: null }, true],
    ['a reason not known yet', [hi], { status: 'incomplete', incomplete_details: { reason: 'x' } }, true],
    ['an item of a type not known yet', [item('hologram'), hi], {}, true],
    ['an item without a type', [{ id: 'x' } as unknown as Item, hi], {}, true],
    [
      'an item not known yet beside one that is bound',
      [item('computer_call'), item('constructor')],
      {},
      true,
    ],
    ['a state that goes on', [hi], { status: 'queued' }, false],
    ['a state that is over', [hi], { status: 'failed' }, false],
    ['a filter', [hi], { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, false],
    ['an item that is bound to a container', [item('code_interpreter_call'), hi], {}, false],
    ['a search of tools', [item('tool_search_call'), hi], {}, true],
    ['an item that waits for an approval', [item('mcp_approval_request')], {}, false],
    ['a refusal', [message({ type: 'refusal', refusal: 'No.' })], {}, false],
  ])(
    'with %s is not stored, and tells of it where that is not known to be right',
    (_, output, change, isTold) => {
      const { keep, doubt } = assess(output, change)
      expect(keep).toBe('share')
      expect(doubt !== undefined).toBe(isTold)
    },
  )

  test('of nothing, or with an error in an item, is shared, and not stored', () => {
    expect(keep([])).toBe('share')
    expect(keep([{ ...item('mcp_call'), error: 'Oh.' }, hi])).toBe('share')
    expect(keep([{ ...item('mcp_call'), error: null }, hi])).toBe('store')
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

describe('embeddings', () => {
  const vector = (index: unknown, embedding: unknown = [0.5, -1]) => ({
    object: 'embedding',
    index,
    embedding,
  })
  const base64 = Buffer.from(new Float32Array([0.5, 1]).buffer).toString('base64')
  const assess = (data: unknown[], body: JsonObject, more = {}) =>
    embeddingsDialect.assess({ object: 'list', data, model: 'm', ...more }, body)

  test.each<[string, unknown, unknown[], string]>([
    ['a text', 'a', [vector(0)], 'store'],
    ['texts', ['a', 'b'], [vector(0), vector(1)], 'store'],
    ['texts, in another order', ['a', 'b'], [vector(1), vector(0)], 'store'],
    ['tokens', [1, 2, 3], [vector(0)], 'store'],
    ['lists of tokens', [[1, 2], [3]], [vector(0), vector(1)], 'store'],
    ['a text, none of it', 'a', [], 'share'],
    ['texts, one of them', ['a', 'b'], [vector(0)], 'share'],
    ['texts, one of them twice', ['a', 'b'], [vector(0), vector(0)], 'share'],
    ['texts, others than those', ['a', 'b'], [vector(1), vector(2)], 'share'],
    ['a text, and one more', 'a', [vector(0), vector(1)], 'share'],
    ['tokens, one for each', [1, 2], [vector(0), vector(1)], 'share'],
    ['a text, without a place', 'a', [vector(undefined)], 'share'],
    ['a text, by the name of its number', 'a', [vector('0')], 'share'],
    ['nothing', [], [], 'share'],
    ['what is not known', { a: 1 }, [vector(0)], 'share'],
    ['a text, no numbers', 'a', [vector(0, [])], 'share'],
    ['a text, null', 'a', [vector(0, null)], 'share'],
    ['a text, null among numbers', 'a', [vector(0, [1, null])], 'share'],
    ['a text, a number too large', 'a', [vector(0, [1, Number.POSITIVE_INFINITY])], 'share'],
    ['a text, in words', 'a', [vector(0, ['1'])], 'share'],
    ['a text, what is not a vector', 'a', [1], 'share'],
    ['a text, in base64 that was not asked for', 'a', [vector(0, base64)], 'share'],
  ])('of %s', (_, input, data, kept) => {
    const { keep, doubt } = assess(data, { input })
    expect(keep).toBe(kept)
    expect(doubt === undefined).toBe(kept === 'store')
  })

  test.each<[string, unknown, string, string]>([
    ['float', [0.5], 'float', 'store'],
    ['base64', base64, 'base64', 'store'],
    ['base64 that is empty', '', 'base64', 'share'],
    ['base64 that is cut', base64.slice(0, -1), 'base64', 'share'],
    ['words', 'not base64!!', 'base64', 'share'],
    ['numbers instead of base64', [0.5], 'base64', 'store'],
  ])('in the encoding that was asked for: %s', (_, embedding, encoding_format, kept) => {
    expect(assess([vector(0, embedding)], { input: 'a', encoding_format }).keep).toBe(kept)
  })

  test('with an error are shared, and not stored; what they used is counted', () => {
    const more = { error: { message: 'No.' }, usage: { prompt_tokens: 3 } }
    expect(assess([vector(0)], { input: 'a' }, more)).toMatchObject({ keep: 'share', usage: { input: 3 } })
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
