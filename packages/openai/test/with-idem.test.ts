import { createIdem, type IdemOptions, memoryStore } from '@idem/core'
import { APIConnectionTimeoutError, APIUserAbortError, AzureOpenAI, type ClientOptions, OpenAI } from 'openai'
import { describe, expect, test, vi } from 'vitest'
import { openaiDialects, withIdem } from '../src/index.js'
import { asked, calls, chat, embedded } from './calls.js'
import { clientOf, useServer } from './server.js'

const server = useServer()

function open(options: ClientOptions = {}, idemOptions: IdemOptions = {}) {
  const warn = vi.fn()
  const idem = createIdem({ logger: { warn }, ...idemOptions })
  const plain = new OpenAI({ baseURL: server.url, apiKey: 'key', ...options })
  return { idem, warn, plain, client: withIdem(plain, idem) }
}

/** Makes each answer wait this long, ms. */
function slow(delayMs: number): void {
  const usual = server.script
  server.script = (request, index) => ({ ...usual(request, index), delayMs })
}

describe('withIdem', () => {
  test('shares chat completions, responses and embeddings without dialects, and leaves the client as it was', async () => {
    const { client, plain, idem, warn } = open()
    for (const ask of [
      () => calls.chat(client, 'whole'),
      () => calls.chat(client, 'stream'),
      () => calls.responses(client, 'whole'),
      () => calls.responses(client, 'stream'),
      () => client.embeddings.create(embedded),
    ]) {
      await Promise.all([ask(), ask()])
      await ask()
    }
    expect(server.calls).toBe(3)
    expect(idem.stats()).toMatchObject({ executed: 3, requests: 15 })
    await calls.chat(plain, 'whole')
    expect(server.calls).toBe(4)
    expect(warn).not.toHaveBeenCalled()
  })

  test('takes idem and the SDK’s idempotencyKey per call, and sends neither', async () => {
    const { client, idem } = open()
    const first = await client.chat.completions.create(chat, { idempotencyKey: 'click-9' })
    const again = await client.chat.completions.create(chat, { idem: { key: 'click-9' } })
    expect(again.choices).toStrictEqual(first.choices)
    expect(server.calls).toBe(1)
    await client.chat.completions.create(chat, { idempotencyKey: 'click-10' })
    await client.chat.completions.create(chat, { idem: { bypass: true } })
    await client.chat.completions.create(chat, { idem: { key: 'click-9', refresh: true } })
    expect(server.calls).toBe(4)
    expect(idem.stats()).toMatchObject({ executed: 3, replayed: 1, bypassed: 1 })
    for (const { rawBody, headers } of server.requests) {
      expect(rawBody).toBe(JSON.stringify(chat))
      expect(Object.keys(headers).filter((name) => /idem/i.test(name))).toEqual([])
    }
  })

  test('prefers idem.key to idempotencyKey, and refuses a key that stands for another request', async () => {
    const { client } = open()
    await client.chat.completions.create(chat, { idempotencyKey: 'a', idem: { key: 'b' } })
    await client.chat.completions.create(chat, { idem: { key: 'b' } })
    expect(server.calls).toBe(1)
    const other = client.chat.completions.create({ ...chat, seed: 1 }, { idempotencyKey: 'b' })
    await expect(other).rejects.toMatchObject({ status: 422, code: 'IDEM_KEY_REUSED' })
    expect(server.calls).toBe(1)
  })

  test.each([[{ tll: 1 }], [{ ttl: 'soon' }], [{ key: '' }], [true], ['chat'], [[]]])(
    'refuses idem: %j before any call, as the SDK’s own error',
    async (idem) => {
      const { client } = open()
      const call = client.chat.completions.create(chat, { idem: idem as never })
      await expect(call).rejects.toMatchObject({ status: 400, code: 'IDEM_INVALID_ARGUMENT' })
      expect(server.calls).toBe(0)
    },
  )

  test('keeps the options of calls apart that run at the same time', async () => {
    const { client } = open()
    slow(30)
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        client.chat.completions.create(chat, { idem: { key: `k-${index % 4}`, scope: `s-${index % 2}` } }),
      ),
    )
    expect(server.calls).toBe(4)
    answers.forEach((answer, index) => {
      expect(answer.choices).toStrictEqual(answers[index % 4]!.choices)
    })
    expect(new Set(answers.map(({ choices }) => choices[0]!.message.content)).size).toBe(4)
  })

  test('serves parse, stream, runTools, withResponse and asResponse', async () => {
    const { client } = open()
    const of = { idem: { key: 'one' } }
    const { completions } = client.chat
    const streamed = { ...chat, stream_options: { include_usage: true } }
    const texts = [
      (await completions.create(chat, of)).choices[0]!.message.content,
      (await completions.parse(chat, of)).choices[0]!.message.content,
      (await completions.stream(streamed, of).finalMessage()).content,
      await completions.runTools({ ...chat, tools: [] }, { idem: { bypass: true } }).finalContent(),
      (await completions.create(chat, of).withResponse()).data.choices[0]!.message.content,
      JSON.parse(await (await completions.create(chat, of).asResponse()).text()).choices[0].message.content,
    ]
    expect(new Set(texts.toSpliced(3, 1)).size).toBe(1)
    expect(server.calls).toBe(2)
    const { response } = await completions.create(chat, of).withResponse()
    expect(response.headers.get('cache-status')).toMatch(/^idem; hit/)
    const parsed = await client.responses.parse(asked, { idem: { key: 'two' } })
    const { output } = await client.responses.stream(asked, { idem: { key: 'two' } }).finalResponse()
    expect(output).toMatchObject(parsed.output)
    expect(server.calls).toBe(3)
  })

  test('stays on the copies that withOptions makes, with whatever they change', async () => {
    const { client, idem } = open()
    const copy = client.withOptions({ timeout: 5_000 }).withOptions({ maxRetries: 0 })
    expect(copy.timeout).toBe(5_000)
    await client.chat.completions.create(chat)
    await copy.chat.completions.create(chat)
    await copy.chat.completions.create(chat, { idem: { bypass: true } })
    expect(server.calls).toBe(2)
    await copy.withOptions({ apiKey: 'other' }).chat.completions.create(chat)
    expect(server.calls).toBe(3)
    expect(idem.stats()).toMatchObject({ executed: 2, replayed: 1, bypassed: 1 })
  })

  test('around a wrapped client, and over idem.fetch, does the work once', async () => {
    const { client, plain, idem, warn } = open()
    for (const twice of [withIdem(client, idem), withIdem(plain.withOptions({ fetch: idem.fetch }), idem)]) {
      await Promise.all([1, 2].map(() => twice.chat.completions.create(chat)))
      await twice.chat.completions.create(chat, { idem: { bypass: true } })
    }
    expect(server.calls).toBe(3)
    expect(idem.stats()).toMatchObject({ requests: 6, executed: 1, bypassed: 2 })
    expect(warn.mock.calls.flat().filter((line) => !line.includes('no dialects'))).toEqual([])
  })

  test('takes fetchOptions.idem too, as idem.fetch does', async () => {
    const { client } = open({ fetchOptions: { idem: { scope: 'team' } } })
    await client.chat.completions.create(chat)
    await client.withOptions({ apiKey: 'other' }).chat.completions.create(chat)
    expect(server.calls).toBe(1)
    await client.chat.completions.create(chat, { fetchOptions: { idem: { bypass: true } } })
    expect(server.calls).toBe(2)
  })

  test('lets fetchOptions.idem say what the call’s own idem leaves open, name by name', async () => {
    const { client } = open()
    const ask = (scope: string, idem: object) =>
      client.chat.completions.create(chat, { idem, fetchOptions: { idem: { scope } } })
    await ask('u1', { ttl: 'chat' })
    await ask('u2', { ttl: 'chat' })
    expect(server.calls).toBe(2)
    await ask('u3', { scope: 'u1' })
    await ask('u2', { scope: undefined })
    expect(server.calls).toBe(2)
    await expect(ask('u1', { scpe: undefined })).rejects.toMatchObject({ status: 400 })
    await expect(ask(7 as never, { ttl: 'chat' })).rejects.toMatchObject({ status: 400 })
  })

  test('around a wrapped client holds with its options alone: the last one', async () => {
    const { plain, idem, warn } = open()
    const base = withIdem(plain, idem)
    const tenants = ['t1', 't2'].map((scope) => withIdem(base, idem, { scope }))
    for (const { chat: one } of [
      ...tenants,
      ...tenants.map((one) => one.withOptions({ fetch: (() => fetch) as never })),
    ])
      await one.completions.create(chat)
    expect(server.calls).toBe(2)
    expect(warn).not.toHaveBeenCalled()
  })

  test.each(['Idempotency-Key', 'X-Idempotency-Key'])(
    'does not take a key that the SDK made up for the %s of a subclass for the user’s',
    async (name) => {
      class Gateway extends OpenAI {
        protected override idempotencyHeader = name
      }
      const { idem } = open({}, { dialects: openaiDialects })
      const of = (options: ClientOptions = {}) =>
        new Gateway({ baseURL: server.url, apiKey: 'key', ...options })
      for (const client of [withIdem(of(), idem), of({ fetch: idem.fetch })])
        for (let times = 0; times < 2; times++) await client.chat.completions.create(chat)
      expect(server.calls).toBe(1)
      expect(server.requests[0]!.headers[name.toLowerCase()]).toMatch(/^stainless-node-retry-/)
      const keyed = withIdem(of(), idem)
      for (const idempotencyKey of ['a', 'b', 'a'])
        await keyed.chat.completions.create(chat, { idempotencyKey })
      expect(server.calls).toBe(3)
    },
  )

  test.each([
    ['instead of the one before', false],
    ['around the one before', true],
  ])(
    'still shares with a prepareRequest that is set later, and sees what it changes: %s',
    async (_, isAround) => {
      const { client, idem } = open()
      const inside = client as unknown as {
        prepareRequest(request: RequestInit, context: object): Promise<void>
      }
      let user = 'a'
      const first = inside.prepareRequest
      inside.prepareRequest = async (request, context) => {
        if (isAround) await first(request, context)
        ;(request.headers as Headers).set('x-user-token', user)
      }
      for (user of ['a', 'b', 'a']) await client.chat.completions.create(chat)
      await client.chat.completions.create(chat, { idem: { bypass: true } })
      expect(server.calls).toBe(3)
      expect(server.requests.map(({ headers }) => headers['x-user-token'])).toEqual(['a', 'b', 'a'])
      expect(idem.stats()).toMatchObject({ executed: 2, replayed: 1, bypassed: 1 })
    },
  )

  test('holds for the clients of Azure, whose deployments are in the path', async () => {
    const idem = createIdem()
    const azure = new AzureOpenAI({
      endpoint: server.url.replace('/v1', ''),
      apiKey: 'a',
      apiVersion: '2025-04-01-preview',
    })
    const client = withIdem(azure, idem)
    expect(client).toBeInstanceOf(AzureOpenAI)
    await Promise.all([1, 2].map(() => client.chat.completions.create(chat)))
    expect(server.calls).toBe(1)
    expect(server.requests[0]!.path).toBe(
      '/openai/deployments/gpt-5.4-mini/chat/completions?api-version=2025-04-01-preview',
    )
    await client.withOptions({ timeout: 5_000 }).chat.completions.create({ ...chat, model: 'max' })
    expect(server.calls).toBe(2)
    expect(server.requests[1]!.path).toContain('/max/chat/completions?api-version=2025-04-01-preview')
  })

  test('keeps what a subclass holds besides its options', async () => {
    class Gateway extends OpenAI {
      token: () => string = () => 'nobody'
      protected override async prepareRequest(request: RequestInit): Promise<void> {
        ;(request.headers as Headers).set('authorization', `Bearer ${this.token()}`)
      }
    }
    const gateway = new Gateway({ baseURL: server.url, apiKey: 'key' })
    gateway.token = () => 'a'
    await withIdem(gateway, createIdem()).chat.completions.create(chat)
    expect(server.requests[0]!.headers.authorization).toBe('Bearer a')
  })

  test('says what to do for a client that cannot be copied', () => {
    class Tenant extends OpenAI {
      constructor(tenant: string) {
        super({ apiKey: tenant.toUpperCase() })
      }
    }
    expect(() => withIdem(new Tenant('a'), createIdem())).toThrow(/could not copy .*fetch: idem.fetch/)
  })

  test.each(['authorization', 'x-user-token'])(
    'shares what a subclass sends, and not what its users make different: %s',
    async (name) => {
      let user = 'a'
      class Gateway extends OpenAI {
        protected override async prepareRequest(request: RequestInit): Promise<void> {
          ;(request.headers as Headers).set(name, user)
        }
      }
      const idem = createIdem()
      const client = withIdem(new Gateway({ baseURL: server.url, apiKey: 'key' }), idem)
      for (user of ['a', 'b', 'a']) await client.chat.completions.create(chat)
      expect(server.calls).toBe(2)
      expect(server.requests.map(({ headers }) => headers[name])).toEqual(['a', 'b'])
    },
  )
})

describe('a body that is not text', () => {
  const headers = { 'content-type': 'application/json' }
  const post = (client: OpenAI, body: unknown, options: object = {}) =>
    client.post('/chat/completions', { body, headers, ...options })
  const bytes = new TextEncoder().encode(`xx${JSON.stringify(chat)}`)

  test.each([
    ['bytes', bytes.slice(2)],
    ['a part of bytes', bytes.subarray(2)],
    ['a buffer', bytes.slice(2).buffer],
  ])('is read where it is %s', async (_, body) => {
    const { client, warn } = open()
    await client.chat.completions.create(chat)
    await post(client, body)
    expect(server.calls).toBe(1)
    await post(client, body, { idem: { bypass: true } })
    expect(server.requests[1]!.rawBody).toBe(JSON.stringify(chat))
    expect(warn).not.toHaveBeenCalled()
  })

  test.each<[string, () => unknown, RegExp]>([
    ['bytes that are not UTF-8', () => Uint8Array.of(0xff, 0xfe), /not UTF-8.*NOT shared/],
    ['a Blob', () => new Blob([JSON.stringify(chat)]), /neither text nor bytes.*NOT shared/],
    ['a stream', () => new Blob([JSON.stringify(chat)]).stream(), /neither text nor bytes.*NOT shared/],
  ])('goes out as it came where it is %s, counted as bypassed, with one warning', async (_, body, says) => {
    const { client, idem, warn } = open({ maxRetries: 0 })
    for (let times = 0; times < 2; times++) await post(client, body()).catch(() => {})
    expect(server.calls).toBe(2)
    expect(idem.stats()).toMatchObject({ requests: 2, bypassed: 2 })
    expect(warn.mock.calls).toEqual([[expect.stringMatching(says)]])
  })
})

describe('a client that was patched before', () => {
  const patched = {
    'a method of a resource': (client: OpenAI) => {
      const { completions } = client.chat
      completions.create = completions.create.bind(completions) as never
      return [client, 'chat.completions.create'] as const
    },
    'a method of the client': (client: OpenAI) => {
      client.post = client.post.bind(client) as never
      return [client, 'post'] as const
    },
    'a resource': (client: OpenAI) => {
      const { completions } = client.chat
      client.chat = { completions: { create: completions.create.bind(completions) } } as never
      return [client, 'chat'] as const
    },
    'the client, by a Proxy': (client: OpenAI) => [new Proxy(client, {}), 'by a Proxy'] as const,
  }

  test.each(Object.entries(patched))('%s: one warning, which names it and what to do', (_, patch) => {
    const { plain, idem, warn } = open()
    const [client, named] = patch(plain)
    for (let times = 0; times < 2; times++) withIdem(client, idem)
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/patched before.*Call withIdem first/)]])
    expect(warn.mock.calls[0]![0]).toContain(`${named})`)
  })
})

describe('a timeout of the SDK', () => {
  const graceless = { tuning: { abandonGraceMs: 1 } }

  test.each([
    ['of the client', { timeout: 400 }, () => ({})],
    ['of the call', {}, () => ({ timeout: 400 })],
    ['of the caller', {}, () => ({ signal: AbortSignal.timeout(400) })],
  ])('%s ends the wait and not the call, however short the grace', async (_, clientOptions, options) => {
    const { client, idem } = open({ maxRetries: 0, ...clientOptions }, graceless)
    const cancelled = vi.fn()
    idem.on('cancelled', cancelled)
    slow(900)
    const call = client.chat.completions.create(chat, options())
    await expect(call).rejects.toThrow()
    expect(await server.requests[0]!.done).toBe('finished')
    await client.chat.completions.create(chat, { timeout: 10_000 })
    expect(server.calls).toBe(1)
    expect(cancelled).not.toHaveBeenCalled()
  })

  test('is retried below it: the retries find the one call', async () => {
    const { client, idem } = open({ timeout: 300, maxRetries: 5 }, graceless)
    slow(900)
    await calls.chat(client, 'whole')
    expect(server.calls).toBe(1)
    expect(idem.stats().saved.retryCollapsed.calls).toBe(1)
  })

  test('of the client bounds what a store that hangs may take: half of it is kept for the call', async () => {
    const store = memoryStore()
    store.acquire = () => new Promise(() => {})
    const { client } = open({ timeout: 2_000, maxRetries: 0 }, { store, tuning: { storeBudgetMs: 60_000 } })
    expect((await client.chat.completions.create(chat)).choices).toHaveLength(1)
  })

  test('is not an abort, and an abort is not a timeout: a call that its caller aborts is cancelled', async () => {
    const { client } = open({ timeout: 60_000 }, graceless)
    slow(60_000)
    for (const ask of [
      (signal: AbortSignal) => client.chat.completions.create(chat, { signal }),
      (signal: AbortSignal) => client.responses.stream(asked, { signal }).finalResponse(),
    ]) {
      const leaver = new AbortController()
      const arrived = server.nextCall()
      const call = ask(leaver.signal)
      const { done } = await arrived
      leaver.abort()
      await expect(call).rejects.toBeInstanceOf(APIUserAbortError)
      expect(await done).toBe('aborted')
    }
  })

  test('under idem.fetch is known where the SDK names it in a header: that of a call', async () => {
    const { client } = clientOf(server, { maxRetries: 0 }, graceless)
    slow(1_500)
    const call = client.chat.completions.create(chat, { timeout: 1_000 })
    await expect(call).rejects.toBeInstanceOf(APIConnectionTimeoutError)
    expect(await server.requests[0]!.done).toBe('finished')
    await client.chat.completions.create(chat)
    expect(server.calls).toBe(1)
  })

  test('under idem.fetch, of the client, looks like an abort: the call is cancelled after the grace', async () => {
    const { client } = clientOf(server, { maxRetries: 0, timeout: 400 }, graceless)
    slow(60_000)
    await expect(client.chat.completions.create(chat)).rejects.toBeInstanceOf(APIConnectionTimeoutError)
    expect(await server.requests[0]!.done).toBe('aborted')
  })
})

describe('misuse', () => {
  const idem = createIdem()
  const client = new OpenAI({ apiKey: 'key' })

  test.each([
    ['no idem', () => withIdem(client, undefined as never), /createIdem\(\)/],
    ['something else for an idem', () => withIdem(client, {} as never), /createIdem\(\)/],
    ['no client', () => withIdem(undefined as never, idem), /new OpenAI\(\)/],
    ['an empty client', () => withIdem({} as never, idem), /new OpenAI\(\)/],
    ['both in the wrong order', () => withIdem(idem as never, client as never), /new OpenAI\(\)/],
    ['the client of another SDK', () => withIdem({ withOptions() {} } as never, idem), /new OpenAI\(\)/],
    ['a client whose transport is not a fetch', () => withIdem(overX509(), idem), /x509/],
    ['an unknown option', () => withIdem(client, idem, { scpe: 'x' } as object), /'scpe'/],
    ['an empty scope', () => withIdem(client, idem, { scope: '' }), /scope/],
  ])('%s is refused at once, and told what to pass', (_, make, told) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT', message: expect.stringMatching(told) }),
    )
  })

  test('the client of a version without withOptions is refused, and told what does without', () => {
    const old = { chat: { completions: { create() {} } } }
    expect(() => withIdem(old as never, idem)).toThrow(/version 5 .*no withOptions.*fetch: idem\.fetch/)
  })

  /** The way version 7 of the SDK keeps it. */
  function overX509(): OpenAI {
    const x509 = new OpenAI({ apiKey: 'key' })
    return Object.assign(x509, { _options: { x509Transport: {} } })
  }

  test('idem.fetch without dialects says once that it shares nothing, and what to pass', async () => {
    const warn = vi.fn()
    const { client } = clientOf(server, {}, { dialects: [], logger: { warn } })
    for (let times = 0; times < 2; times++) await client.chat.completions.create(chat)
    expect(server.calls).toBe(2)
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/no dialects.*@idem\/anthropic.*openaiDialects of @idem\/openai/)],
    ])
  })

  test.each<[string, unknown, RegExp]>([
    ['a list in a list', [openaiDialects], /\.\.\.openaiDialects/],
    ['a list of nothing', [undefined], /not a dialect/],
    ['an object', {}, /must be a list/],
    ['a name', 'openai', /must be a list/],
  ])('dialects that are %s are refused at once', (_, dialects, told) => {
    expect(() => createIdem({ dialects: dialects as never })).toThrow(told)
  })
})

describe('a fetch of the client’s own, below idem,', () => {
  const own = (() => fetch) as never

  test('may add a user’s credential unseen: one warning, which names the scope', () => {
    const { plain, idem, warn } = open({ fetch: own })
    withIdem(plain, idem)
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/fetch of its own.*withIdem\(client, idem, \{ scope \}\)/)],
    ])
  })

  test('that comes later is warned of too', () => {
    const { client, warn } = open()
    client.withOptions({ fetch: own })
    expect(warn).toHaveBeenCalledTimes(1)
  })

  test('is not warned of where the scope is named, or it is the platform’s', () => {
    const warn = vi.fn()
    const idem = createIdem({ logger: { warn } })
    const client = (options: ClientOptions) => new OpenAI({ apiKey: 'key', ...options })
    withIdem(client({ fetch: own }), idem, { scope: 'team' })
    withIdem(client({ fetch }), idem)
    withIdem(client({}).withOptions({ timeout: 1 }), idem)
    withIdem(withIdem(client({}), idem), idem)
    expect(warn).not.toHaveBeenCalled()
  })
})
