import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { APIError, AzureOpenAI, type OpenAI } from 'openai'
import { describe, expect, test } from 'vitest'
import { calls, chat, counted, embedded, type Form } from './calls.js'
import { call, choice, completion } from './completions.js'
import { clientOf, json, sse, useServer } from './server.js'

const server = useServer()
const forms: [Form, Form][] = [
  ['whole', 'stream'],
  ['stream', 'whole'],
]
const ten = <T>(one: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: 10 }, (_, i) => one(i)))

describe.each(['chat', 'responses'] as const)('%s', (api) => {
  const ask = calls[api]

  test.each(['whole', 'stream'] as const)('ten duplicates, %s: one call, then replays', async (form) => {
    const { client, idem } = clientOf(server)
    const [first, ...others] = await ten(() => ask(client, form))
    for (const other of others) expect(other).toStrictEqual(first)
    expect(await ask(client, form)).toStrictEqual(first)
    expect(server.calls).toBe(1)
    expect(idem.stats()).toMatchObject({ executed: 1, collapsed: 9, replayed: 1 })
  })

  test.each(forms)('ten mixed duplicates, the first a %s: one call, one answer', async (form, other) => {
    const { client } = clientOf(server)
    const [first, ...others] = await ten((index) => ask(client, index % 2 === 0 ? form : other))
    for (const one of others) expect(one).toStrictEqual(first)
    expect(server.calls).toBe(1)
  })

  test.each(forms)('a record of a %s is replayed as a %s', async (form, other) => {
    const { client } = clientOf(server)
    const first = await ask(client, form)
    expect(await ask(client, other)).toStrictEqual(first)
    expect(server.calls).toBe(1)
  })

  test.each(['whole', 'stream'] as const)(
    'what was saved is counted, tokens and dollars: %s',
    async (form) => {
      const { client, idem } = clientOf(server)
      for (let times = 0; times < 3; times++) await ask(client, form)
      const { saved } = idem.stats()
      const [usage, dollars] =
        api === 'chat'
          ? [
              { input: 12, cacheRead: 4, cacheWrite5m: 3, output: 10, thinking: 6 },
              15 * 0.75 + 4 * 0.075 + 10 * 4.5,
            ]
          : [
              { input: 21, cacheRead: 10, cacheWrite5m: 5, output: 87, thinking: 64 },
              26 * 2.5 + 10 * 0.25 + 87 * 15,
            ]
      const twice = Object.entries(usage).map(([name, count]) => [name, 2 * count])
      expect(saved).toMatchObject({ calls: 2, usage: Object.fromEntries(twice) })
      expect(saved.dollars).toBeCloseTo((2 * dollars) / 1_000_000, 10)
    },
  )

  test('a request with a member not known yet is another', async () => {
    const { client } = clientOf(server)
    await ask(client, 'whole')
    await ask(client, 'whole', { body: { ...(server.requests[0]!.body as object), tomorrow: 1 } })
    expect(server.calls).toBe(2)
  })

  test('bypass makes a call of its own, and is not sent', async () => {
    const { client, idem } = clientOf(server)
    await ask(client, 'whole')
    await ask(client, 'whole', { fetchOptions: { idem: { bypass: true } } })
    expect(server.calls).toBe(2)
    expect(idem.stats()).toMatchObject({ executed: 1, bypassed: 1 })
  })

  test('an error of idem is the SDK’s, with its code, and is not retried', async () => {
    const { client } = clientOf(server)
    const keyed = { fetchOptions: { idem: { key: 'click-7' } } }
    await ask(client, 'whole', keyed)
    const body = { ...(server.requests[0]!.body as object), tomorrow: 1 }
    const error = await ask(client, 'whole', { ...keyed, body }).catch((error) => error)
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ status: 422, code: 'IDEM_KEY_REUSED', type: 'invalid_request_error' })
    expect(server.calls).toBe(1)
  })

  test('a retry after the client’s timeout finds the call of the first try', async () => {
    const { client, idem } = clientOf(server, { timeout: 60, maxRetries: 5 })
    const usual = server.script
    server.script = (request, index) => ({ ...usual(request, index), delayMs: 200 })
    await ask(client, 'whole')
    expect(server.calls).toBe(1)
    expect(idem.stats().saved.retryCollapsed.calls).toBe(1)
  })

  test('a stream that ends in an error is told to all, and not stored', async () => {
    const { client } = clientOf(server, { maxRetries: 0 })
    const usual = server.script
    const event = { type: 'error', error: { message: 'Oh.', type: 'server_error', code: 'server_error' } }
    const failing = sse(`event: error\ndata: ${JSON.stringify(event)}\n\n`, { delayMs: 30 })
    server.script = (request, index) => (index === 0 ? failing : usual(request, index))
    const owner = ask(client, 'stream').catch((error) => error)
    await until(() => server.calls === 1)
    const others = (['stream', 'whole'] as const).map((form) => ask(client, form).catch((error) => error))
    for (const error of await Promise.all([owner, ...others]))
      expect(error).toMatchObject({ code: 'server_error' })
    await ask(client, 'stream')
    expect(server.calls).toBe(2)
  })

  test('a stream that breaks is not an answer', async () => {
    const { client, idem } = clientOf(server, { maxRetries: 0 })
    const usual = server.script
    server.script = (request, index) => {
      const reply = usual(request, index)
      return index === 0 ? { ...reply, body: reply.body.slice(0, -40), drop: true } : reply
    }
    await expect(ask(client, 'stream')).rejects.toThrow()
    await ask(client, 'stream')
    expect(server.calls).toBe(2)
    expect(idem.stats().replayed).toBe(0)
  })

  test('a duplicate that wants a stream of a slow whole call gets pings, which the SDK passes over', async () => {
    const { client } = clientOf(server)
    const usual = server.script
    server.script = (request, index) => ({ ...usual(request, index), delayMs: 5_500 })
    const whole = ask(client, 'whole')
    await until(() => server.calls === 1)
    expect(await ask(client, 'stream')).toStrictEqual(await whole)
    expect(server.calls).toBe(1)
  }, 15_000)

  test('two keys, organizations or projects: a call each', async () => {
    const { client } = clientOf(server)
    for (const change of [{}, { apiKey: 'other' }, { organization: 'o' }, { project: 'p' }]) {
      await ask(client.withOptions(change), 'whole')
    }
    expect(server.calls).toBe(4)
  })
})

describe('chat streams', () => {
  const chunksOf = async (client: OpenAI, params: object = {}) => {
    const stream = await client.chat.completions.create({ ...chat, ...params, stream: true })
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    return chunks
  }

  test('without usage share with each other only, and get none', async () => {
    const { client, idem } = clientOf(server)
    const [first, second] = await Promise.all([chunksOf(client), chunksOf(client)])
    expect(second).toStrictEqual(first)
    expect(await chunksOf(client, { stream_options: { include_usage: false } })).toStrictEqual(first)
    expect(first.some(({ usage }) => usage)).toBe(false)
    expect(server.calls).toBe(1)
    await calls.chat(client, 'whole')
    await chunksOf(client, { stream_options: { include_usage: true } })
    expect(server.calls).toBe(2)
    expect(idem.stats().saved.calls).toBe(3)
  })

  test('share whether they are obfuscated or not, and not with options not known yet', async () => {
    const { client } = clientOf(server)
    for (const include_obfuscation of [true, false]) {
      await chunksOf(client, { stream_options: { include_usage: true, include_obfuscation } })
    }
    expect(server.calls).toBe(1)
    await chunksOf(client, { stream_options: { include_usage: true, tomorrow: true } })
    expect(server.calls).toBe(2)
  })

  test('of a tool call are shared while they run, and not stored', async () => {
    const { client } = clientOf(server)
    const calling = choice(
      { tool_calls: [call('weather', '{"city":"Zürich"}')] },
      { finish_reason: 'tool_calls' },
    )
    server.script = () => json(completion([calling]), { delayMs: 20 })
    const [whole, streamed] = await Promise.all([
      client.chat.completions.create(chat),
      client.chat.completions.stream(counted).finalMessage(),
    ])
    expect(streamed.tool_calls).toMatchObject(whole.choices[0]!.message.tool_calls!)
    expect(server.calls).toBe(1)
    await client.chat.completions.create(chat)
    expect(server.calls).toBe(2)
  })
})

describe('embeddings', () => {
  test('ten duplicates: one call, then replays; counted', async () => {
    const { client, idem } = clientOf(server)
    const [first, ...others] = await ten(() => client.embeddings.create(embedded))
    for (const other of others) expect(other).toStrictEqual(first)
    expect((await client.embeddings.create(embedded)).data[0]!.embedding).toEqual([0, 0.5])
    expect(server.calls).toBe(1)
    const { usage, dollars } = idem.stats().saved
    expect(usage.input).toBe(80)
    expect(dollars).toBeCloseTo((80 * 0.02) / 1_000_000, 12)
  })

  test('another input is another request, and so is another encoding', async () => {
    const { client } = clientOf(server)
    await client.embeddings.create(embedded)
    await client.embeddings.create({ ...embedded, input: ['idempotency'] })
    await client.embeddings.create({ ...embedded, dimensions: 2 })
    expect(server.calls).toBe(3)
  })

  test('a request for a stream of them passes through, and is counted as bypassed', async () => {
    const { idem } = clientOf(server)
    for (let times = 0; times < 2; times++) {
      await idem.fetch(`${server.url}/embeddings`, {
        method: 'POST',
        headers: { authorization: 'Bearer key' },
        body: JSON.stringify({ ...embedded, stream: true }),
      })
    }
    expect(server.calls).toBe(2)
    expect(idem.stats()).toMatchObject({ requests: 2, bypassed: 2 })
  })
})

describe('the SDK', () => {
  test('of Azure shares by its key and deployment', async () => {
    const { idem } = clientOf(server)
    const azure = (apiKey: string, deployment: string) =>
      new AzureOpenAI({
        baseURL: server.url.replace('/v1', `/openai/deployments/${deployment}`),
        apiKey,
        apiVersion: '2025-04-01-preview',
        fetch: idem.fetch,
      })
    const [first, second] = await Promise.all(
      [azure('a', 'mini'), azure('a', 'mini')].map((client) => calls.chat(client, 'whole')),
    )
    expect(second).toStrictEqual(first)
    expect(server.calls).toBe(1)
    expect(server.requests[0]!.headers['api-key']).toBe('a')
    await calls.chat(azure('b', 'mini'), 'whole')
    await calls.chat(azure('a', 'max'), 'whole')
    expect(server.calls).toBe(3)
  })

  test('tells whose answer it was', async () => {
    const { client } = clientOf(server)
    await client.chat.completions.create(chat)
    const { request_id, response } = await client.chat.completions.create(chat).withResponse()
    expect(request_id).toBe('req_1')
    expect(response.headers.get('cache-status')).toMatch(/^idem; hit; ttl=\d+; key="/)
  })

  test('takes options of the client, and those of a call instead', async () => {
    const { client } = clientOf(server, { fetchOptions: { idem: { bypass: true } } })
    await client.chat.completions.create(chat)
    await client.chat.completions.create(chat)
    expect(server.calls).toBe(2)
    for (let times = 0; times < 2; times++) {
      await client.chat.completions.create(chat, { fetchOptions: { idem: { ttl: 60_000 } } })
    }
    expect(server.calls).toBe(3)
  })

  test('shares nothing else: what is below a path, other paths and methods pass through', async () => {
    // The provider serves none of these.
    let calls = 0
    const anything = createServer((_, response) => {
      calls++
      response.setHeader('content-type', 'application/json').end('{}')
    })
    await once(anything.listen(0, '127.0.0.1'), 'listening')
    const baseURL = `http://127.0.0.1:${(anything.address() as AddressInfo).port}/v1`
    const { client, idem } = clientOf(server, { baseURL })
    for (let times = 0; times < 2; times++) {
      await client.responses.retrieve('resp_1')
      await client.responses.cancel('resp_1')
      await client.responses.inputTokens.count({ input: 'a' })
      await client.chat.completions.retrieve('c')
      await client.moderations.create({ input: 'a' })
    }
    anything.closeAllConnections()
    anything.close()
    expect(calls).toBe(10)
    expect(idem.stats().requests).toBe(0)
  })
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2)
}
