import { Anthropic, APIConnectionTimeoutError, APIUserAbortError } from '@anthropic-ai/sdk'
import { memoryStore } from '@idem/core'
import { describe, expect, test, vi } from 'vitest'
import { clientOf, counter, params, useProvider } from './tools.js'

const context = useProvider()

describe('identical calls of the SDK', () => {
  test('at the same time cost one upstream call, and give equal answers to all', async () => {
    const { client, idem } = clientOf(context.provider)
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.messages.create(params)))
    expect(context.provider.calls).toBe(1)
    for (const answer of answers) expect(answer).toStrictEqual(answers[0])
    expect(new Set(answers).size).toBe(50)
    expect(idem.stats()).toMatchObject({ executed: 1, collapsed: 49, saved: { calls: 49 } })
  })

  test('later are replayed byte for byte, with the request id of the answer', async () => {
    const { client } = clientOf(context.provider)
    const first = await client.messages.create(params).withResponse()
    const second = await client.messages.create(params).withResponse()
    expect(context.provider.calls).toBe(1)
    expect(second.data).toStrictEqual(first.data)
    expect(second.request_id).toBe(first.request_id)
    const [a, b] = await Promise.all(
      [0, 1].map(() =>
        client.messages
          .create(params)
          .asResponse()
          .then((response) => response.text()),
      ),
    )
    expect(a).toBe(b)
  })

  test('go through the beta resource and parse() as well', async () => {
    const { client } = clientOf(context.provider)
    const parse = () => client.messages.parse(params)
    expect((await parse()).content).toEqual((await parse()).content)
    expect(context.provider.calls).toBe(1)
    await client.beta.messages.create({ ...params, betas: ['b-2', 'a-1'] })
    await client.beta.messages.create({ ...params, betas: ['a-1', 'b-2', 'a-1'] })
    expect(context.provider.calls).toBe(2)
  })
})

describe('what an answer says about itself', () => {
  test('Cache-Status (RFC 9211) and Age (RFC 9111)', async () => {
    const { client } = clientOf(context.provider)
    context.provider.reply({ latencyMs: 30 })
    const headers = async () => (await client.messages.create(params).asResponse()).headers
    const [executed, collapsed] = await Promise.all([headers(), headers()])
    expect(executed.get('cache-status')).toMatch(/^idem; fwd=miss; stored; key="[\w-]{43}"$/)
    expect(collapsed.get('cache-status')).toMatch(/^idem; fwd=miss; collapsed; key="[\w-]{43}"$/)
    expect(executed.has('age')).toBe(false)
    const replayed = await headers()
    expect(replayed.get('cache-status')).toMatch(/^idem; hit; ttl=3(600|599); key="[\w-]{43}"$/)
    expect(replayed.get('age')).toMatch(/^[01]$/)
  })

  test('all that the provider said to its own caller, and to others what describes the answer', async () => {
    context.provider.reply({ headers: { 'set-cookie': 'session=secret', 'x-mine': 'yes' } })
    const { client } = clientOf(context.provider)
    const ask = () => client.messages.create(params).asResponse()
    const own = await ask()
    expect(own.headers.get('set-cookie')).toBe('session=secret')
    expect(own.headers.get('x-mine')).toBe('yes')
    expect(own.headers.has('content-length')).toBe(false)
    const replayed = await ask()
    expect([...replayed.headers.keys()]).toEqual(['age', 'cache-status', 'content-type', 'request-id'])
    expect(replayed.headers.get('request-id')).toBe(own.headers.get('request-id'))
    for (const { statusText, url, redirected } of [own, replayed]) {
      expect({ statusText, url, redirected }).toEqual({
        statusText: 'OK',
        url: `${context.provider.url}/v1/messages`,
        redirected: false,
      })
    }
  })
})

describe('calls that differ', () => {
  test.each([
    ['the model', { model: 'claude-haiku-4-5' }],
    ['max_tokens', { max_tokens: 257 }],
    ['system', { system: 'Be brief.' }],
    ['a message', { messages: [{ role: 'user' as const, content: 'what is idempotency?' }] }],
    ['tools', { tools: [{ name: 'now', input_schema: { type: 'object' as const } }] }],
    ['metadata', { metadata: { user_id: 'u' } }],
    ['a parameter nobody knows yet', { tomorrow: true }],
  ])('in %s are not shared', async (_, change) => {
    const { client } = clientOf(context.provider)
    await client.messages.create(params)
    await client.messages.create({ ...params, ...change })
    expect(context.provider.calls).toBe(2)
  })

  test('in the credential or the version of the API are not shared', async () => {
    const { client } = clientOf(context.provider)
    await client.messages.create(params)
    await client.withOptions({ apiKey: 'key-b' }).messages.create(params)
    await client.messages.create(params, { headers: { 'anthropic-version': '2023-06-01' } })
    expect(context.provider.calls).toBe(3)
  })

  test('in the query or in any credential they show are not shared', async () => {
    const { client } = clientOf(context.provider)
    await client.messages.create(params, { query: { deployment: 'blue' } })
    await client.messages.create(params, { query: { deployment: 'green' } })
    expect(context.provider.calls).toBe(2)
    await client.messages.create(params, { headers: { 'x-api-key': 'tenant a' } })
    await client.messages.create(params, { headers: { 'x-api-key': 'tenant b' } })
    expect(context.provider.calls).toBe(4)
  })

  test('only in how they are written, in client headers or in the retry count are shared', async () => {
    const { client } = clientOf(context.provider)
    await client.messages.create(params)
    const { model, max_tokens, messages } = params
    await client.messages.create(
      { messages, stream: false, max_tokens, model },
      { headers: { 'user-agent': 'other' } },
    )
    expect(context.provider.calls).toBe(1)
  })
})

describe('a timeout of the caller', () => {
  const slow = { latencyMs: 250 }

  test('ends its wait and not the call: the retry finds the answer, at the price of one call', async () => {
    context.provider.reply({ hang: true })
    const plain = new Anthropic({ baseURL: context.provider.url, apiKey: 'key', timeout: 100, maxRetries: 3 })
    await expect(plain.messages.create(params)).rejects.toThrow(APIConnectionTimeoutError)
    expect(context.provider.calls).toBe(4)

    context.provider.reset()
    const attempts = counter()
    // The answer comes after the client has asked again.
    context.provider.reply(async () => {
      await vi.waitFor(() => expect(attempts.count).toBeGreaterThanOrEqual(2), {
        timeout: 20_000,
        interval: 5,
      })
      return {}
    })
    const { client } = clientOf(context.provider, {
      timeout: 100,
      maxRetries: 3,
      middleware: [attempts.middleware],
    })
    expect((await client.messages.create(params)).type).toBe('message')
    expect(context.provider.calls).toBe(1)
  })

  test('is kept for every caller, the one that executes and the one that waits, while the call goes on', async () => {
    let answerNow!: (script: object) => void
    context.provider.reply(() => new Promise((resolve) => (answerNow = resolve)))
    const { client, idem } = clientOf(context.provider, { timeout: 100, maxRetries: 0 })
    const tries = await Promise.allSettled([client.messages.create(params), client.messages.create(params)])
    for (const one of tries) expect(one).toMatchObject({ reason: expect.any(APIConnectionTimeoutError) })
    expect(context.provider.requests[0]!.state).toBe('open')
    answerNow({})
    await context.provider.requests[0]!.done
    const answer = await client.messages.create(params)
    expect(answer.type).toBe('message')
    expect(context.provider.calls).toBe(1)
    expect(idem.stats().replayed + idem.stats().collapsed).toBe(1)
  })

  test('set for one call counts for that call', async () => {
    context.provider.reply(slow)
    const { client } = clientOf(context.provider)
    const impatient = client.messages.create(params, { timeout: 50, maxRetries: 0 })
    const patient = client.messages.create(params)
    await expect(impatient).rejects.toThrow(APIConnectionTimeoutError)
    expect((await patient).type).toBe('message')
    expect(context.provider.calls).toBe(1)
  })
})

test('a store that hangs takes no more than half of what the caller allows: the call is still made in time', async () => {
  const store = memoryStore()
  store.acquire = () => new Promise(() => {})
  const { client } = clientOf(
    context.provider,
    { timeout: 400, maxRetries: 0 },
    { store, logger: { warn() {} } },
  )
  expect((await client.messages.create(params)).type).toBe('message')
})

test('an abort by the caller is its own: the call goes on for the others', async () => {
  context.provider.reply({ latencyMs: 80 })
  const { client } = clientOf(context.provider)
  const leaver = new AbortController()
  const arrived = context.provider.nextCall()
  const first = client.messages.create(params, { signal: leaver.signal })
  const second = client.messages.create(params)
  await arrived
  leaver.abort()
  await expect(first).rejects.toThrow(APIUserAbortError)
  expect((await second).type).toBe('message')
  expect(context.provider.calls).toBe(1)
})

describe('what is not stored', () => {
  test.each([[400], [401], [429], [500], [529]])(
    'an answer of %i: shared with those who wait, then asked again',
    async (status) => {
      context.provider.reply({ status, latencyMs: 40 })
      const { client } = clientOf(context.provider, { maxRetries: 0 })
      const tries = await Promise.allSettled(Array.from({ length: 5 }, () => client.messages.create(params)))
      for (const one of tries) expect(one).toMatchObject({ reason: { status } })
      expect(context.provider.calls).toBe(1)
      context.provider.reply({})
      expect((await client.messages.create(params)).type).toBe('message')
      expect(context.provider.calls).toBe(2)
    },
  )

  test.each([['tool_use'], ['pause_turn'], ['refusal']])(
    'an answer that stopped for %s',
    async (stopReason) => {
      context.provider.reply({ stopReason })
      const { client } = clientOf(context.provider)
      await Promise.all([client.messages.create(params), client.messages.create(params)])
      expect(context.provider.calls).toBe(1)
      await client.messages.create(params)
      expect(context.provider.calls).toBe(2)
    },
  )

  test('an answer tied to a container or a thread', async () => {
    const { client } = clientOf(context.provider)
    const stateful = { ...params, container: 'container_1' }
    await client.messages.create(stateful)
    await client.messages.create(stateful)
    expect(context.provider.calls).toBe(2)
  })

  test('a 200 that is not a message: it is paid for, so it is given, and not stored', async () => {
    context.provider.reply({ body: '{"type":"message"', headers: { 'content-type': 'text/plain' } })
    const { client } = clientOf(context.provider)
    const text = async () => (await client.messages.create(params).asResponse()).text()
    expect(await text()).toBe('{"type":"message"')
    await text()
    expect(context.provider.calls).toBe(2)
  })
})

describe('a connection that breaks', () => {
  test('is retried by the SDK of every caller, together: ten duplicates, two calls', async () => {
    context.provider.reply((_, index) => (index === 0 ? { drop: 'before-headers', latencyMs: 30 } : {}))
    const { client } = clientOf(context.provider)
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.messages.create(params)))
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect(context.provider.calls).toBe(2)
  })

  test('in the middle of a body is never taken for an answer', async () => {
    context.provider.reply((_, index) => (index === 0 ? { drop: 'mid-body' } : {}))
    const { client } = clientOf(context.provider, { maxRetries: 0 })
    await expect(client.messages.create(params)).rejects.toThrow()
    expect((await client.messages.create(params)).type).toBe('message')
    expect(context.provider.calls).toBe(2)
  })
})

describe('what passes through', () => {
  test('a body of another API: the provider says what is wrong with it', async () => {
    const { client } = clientOf(context.provider)
    await expect(client.messages.create({ ...params, max_tokens: -1 })).rejects.toMatchObject({ status: 400 })
    await expect(client.post('/v1/messages', { body: [] })).rejects.toMatchObject({ status: 400 })
  })

  test('requests without a visible credential, with one warning: nobody can say whose they are', async () => {
    const warn = vi.fn()
    const { client } = clientOf(context.provider, {}, { logger: { warn } })
    const anonymous = client.withOptions({ defaultHeaders: { authorization: null } })
    await anonymous.messages.create(params)
    await anonymous.messages.create(params)
    expect(context.provider.calls).toBe(2)
    expect(warn).toHaveBeenCalledTimes(1)
    const scoped = { idem: { scope: 'mine' } }
    await anonymous.messages.create(params, scoped)
    await anonymous.messages.create(params, scoped)
    expect(context.provider.calls).toBe(3)
  })
})
