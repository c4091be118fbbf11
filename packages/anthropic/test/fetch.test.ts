import { Anthropic, type ClientOptions } from '@anthropic-ai/sdk'
import { createIdem, type Idem } from '@idem/core'
import { describe, expect, test } from 'vitest'
import { idempotency, messagesDialect } from '../src/index.js'
import { params, useProvider } from './tools.js'

const context = useProvider()
const newIdem = () => createIdem({ dialects: [messagesDialect] })

function post(url: string, change: RequestInit = {}): RequestInit & { url: string } {
  const headers = {
    'content-type': 'application/json',
    authorization: 'Bearer key',
    'anthropic-version': '2026-10-21',
  }
  return { url: `${url}/v1/messages`, method: 'POST', headers, body: JSON.stringify(params), ...change }
}

describe('idem.fetch', () => {
  test('shares plain fetch calls, text or bytes', async () => {
    const idem = newIdem()
    const { url, ...init } = post(context.provider.url)
    const bytes = new TextEncoder().encode(init.body as string)
    const responses = await Promise.all([
      idem.fetch(url, init),
      idem.fetch(new URL(url), { ...init, body: bytes }),
      idem.fetch(url, { ...init, method: 'post' }),
    ])
    const texts = await Promise.all(responses.map((response) => response.text()))
    expect(new Set(texts).size).toBe(1)
    expect(context.provider.calls).toBe(1)
  })

  test('serves an SDK that has no middleware', async () => {
    const idem = newIdem()
    const client = new Anthropic({
      baseURL: context.provider.url,
      apiKey: 'key',
      fetch: idem.fetch as typeof fetch,
    })
    const [a, b] = await Promise.all([client.messages.create(params), client.messages.create(params)])
    expect(a).toStrictEqual(b)
    expect(context.provider.calls).toBe(1)
  })

  test('and the middleware on one client do the work once', async () => {
    const idem = newIdem()
    const client = new Anthropic({
      baseURL: context.provider.url,
      apiKey: 'key',
      fetch: idem.fetch as typeof fetch,
      middleware: [idempotency(idem)],
    })
    await client.messages.create(params)
    expect(idem.stats()).toMatchObject({ executed: 1, collapsed: 0, replayed: 0 })
  })

  test('honours an Idempotency-Key header, leaves it on the wire, and never sends its own options', async () => {
    const idem = newIdem()
    const { url, ...init } = post(context.provider.url)
    const keyed = { ...init, headers: { ...init.headers, 'Idempotency-Key': 'click-7' } }
    await idem.fetch(url, { ...keyed, idem: { ttl: 60_000 } })
    expect(context.provider.requests[0]!.headers['idempotency-key']).toBe('click-7')
    const reused = await idem.fetch(url, { ...keyed, body: JSON.stringify({ ...params, max_tokens: 1 }) })
    expect(reused.status).toBe(422)
    expect(reused.headers.get('x-should-retry')).toBe('false')
    expect(await reused.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', details: { error_code: 'IDEM_KEY_REUSED' } },
    })
    expect(context.provider.calls).toBe(1)
  })

  test('sends what the key was made of, whatever becomes of the body and headers meanwhile', async () => {
    const idem = newIdem()
    const { url, ...init } = post(context.provider.url)
    const asked = JSON.stringify(params)
    const bytes = Buffer.from(asked)
    const headers = new Headers(init.headers as Record<string, string>)
    const call = idem.fetch(url, { ...init, headers, body: bytes })
    bytes.fill(0x20)
    headers.set('anthropic-version', 'changed')
    await call
    const [received] = context.provider.requests
    expect(received!.rawBody).toBe(asked)
    expect(received!.headers['anthropic-version']).toBe('2026-10-21')
  })

  test('tells numbers apart that JSON.parse takes for the same', async () => {
    const idem = newIdem()
    const { url, ...init } = post(context.provider.url)
    for (const seed of ['9007199254740992', '9007199254740993']) {
      const body = JSON.stringify({ ...params, seed: 0 }).replace('"seed":0', `"seed":${seed}`)
      await idem.fetch(url, { ...init, body })
    }
    expect(context.provider.calls).toBe(2)
  })

  test('with bypass below the middleware goes all the way: no door replays it', async () => {
    const idem = newIdem()
    const client = new Anthropic({
      baseURL: context.provider.url,
      apiKey: 'key',
      fetch: idem.fetch as typeof fetch,
      middleware: [idempotency(idem)],
    })
    await client.messages.create(params)
    await client.messages.create(params, { idem: { bypass: true } })
    expect(context.provider.calls).toBe(2)
  })

  test("ends a caller's wait with its own reason", async () => {
    const idem = newIdem()
    context.provider.reply({ latencyMs: 50 })
    const { url, ...init } = post(context.provider.url)
    const leaver = new AbortController()
    const arrived = context.provider.nextCall()
    const first = idem.fetch(url, { ...init, signal: leaver.signal })
    const second = idem.fetch(url, init)
    await arrived
    leaver.abort(new Error('mine'))
    await expect(first).rejects.toThrow('mine')
    expect((await second).status).toBe(200)
    expect(context.provider.calls).toBe(1)
  })

  test('shares a Request, and a URL with a Request as init, with plain calls', async () => {
    const idem = newIdem()
    const { url, ...init } = post(context.provider.url)
    const responses = [
      await idem.fetch(url, init),
      await idem.fetch(new Request(url, init)),
      await idem.fetch(url, new Request('http://elsewhere/', init)),
    ]
    const texts = await Promise.all(responses.map((response) => response.text()))
    expect(new Set(texts).size).toBe(1)
    expect(idem.stats()).toMatchObject({ executed: 1, replayed: 2 })
    expect(context.provider.calls).toBe(1)
  })

  test('counts a body that is a stream as bypassed, says so once, and sends it', async () => {
    const warnings: string[] = []
    const logger = { warn: (line: string) => warnings.push(line) }
    const idem = createIdem({ dialects: [messagesDialect], logger })
    for (let call = 0; call < 2; call++) {
      const { url, ...init } = post(context.provider.url, { body: streamOf(params) })
      const response = await idem.fetch(url, { ...init, duplex: 'half' } as RequestInit)
      expect(await response.json()).toMatchObject({ type: 'message' })
    }
    expect(context.provider.calls).toBe(2)
    expect(idem.stats()).toMatchObject({ requests: 2, bypassed: 2 })
    expect(warnings).toEqual([expect.stringContaining('Pass the body as a string or as bytes')])
  })

  test.each([
    ['another path', (url: string) => fetchArgs(`${url}/v1/messages/count_tokens`, post(url))],
    ['another method', (url: string) => fetchArgs(`${url}/v1/messages`, { method: 'GET' })],
  ])('passes %s through', async (_, args) => {
    const idem = newIdem()
    for (let call = 0; call < 2; call++) {
      const [input, init] = args(context.provider.url)
      await (await idem.fetch(input, init)).text()
    }
    expect(idem.stats()).toMatchObject({ requests: 0 })
  })
})

describe('the fetchOptions of an SDK', () => {
  const clientWith = (fetchOptions: object, options: ClientOptions) =>
    new Anthropic({
      baseURL: context.provider.url,
      apiKey: 'key',
      fetchOptions: fetchOptions as never,
      ...options,
    })

  test.each<[string, (idem: Idem) => ClientOptions]>([
    ['middleware', (idem) => ({ middleware: [idempotency(idem)] })],
    ['fetch', (idem) => ({ fetch: idem.fetch as typeof fetch })],
  ])('that change the answer are in the key, with the %s', async (_, optionsOf) => {
    const idem = newIdem()
    const ask = (fetchOptions: object) => clientWith(fetchOptions, optionsOf(idem)).messages.create(params)
    for (let round = 0; round < 2; round++) {
      await ask({})
      await ask({ redirect: 'follow', keepalive: true })
      await ask({ redirect: 'manual' })
      await ask({ unheardOf: { a: 1 } })
    }
    expect(context.provider.calls).toBe(3)
    expect(idem.stats()).toMatchObject({ executed: 3, replayed: 5 })
  })

  test.each<[string, (idem: Idem) => ClientOptions]>([
    ['middleware', (idem) => ({ middleware: [idempotency(idem)] })],
    ['fetch', (idem) => ({ fetch: idem.fetch as typeof fetch })],
  ])('that cannot be compared make a call its own, and are told once, with the %s', async (_, optionsOf) => {
    const warnings: string[] = []
    const logger = { warn: (line: string) => warnings.push(line) }
    const idem = createIdem({ dialects: [messagesDialect], logger })
    const client = clientWith({ unheardOf: () => {} }, optionsOf(idem))
    for (let call = 0; call < 2; call++) await client.messages.create(params)
    expect(context.provider.calls).toBe(2)
    expect(idem.stats()).toMatchObject({ bypassed: 2 })
    expect(warnings).toEqual([expect.stringContaining("'unheardOf'")])
  })
})

function fetchArgs(url: string, init: RequestInit): readonly [string, RequestInit] {
  return [url, init]
}

function streamOf(value: unknown): ReadableStream {
  return new Blob([JSON.stringify(value)]).stream()
}
