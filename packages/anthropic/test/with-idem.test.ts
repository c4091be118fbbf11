import { Anthropic, type ClientOptions, type Middleware } from '@anthropic-ai/sdk'
import type { BetaRunnableTool } from '@anthropic-ai/sdk/lib/tools/BetaRunnableTool'
import { createIdem } from '@idem/core'
import { describe, expect, test, vi } from 'vitest'
import { effectsOnce, idempotency, withIdem } from '../src/index.js'
import { params, useProvider } from './tools.js'

const context = useProvider()

function open(options: ClientOptions = {}) {
  const warn = vi.fn()
  const idem = createIdem({ logger: { warn } })
  const plain = new Anthropic({ baseURL: context.provider.url, apiKey: 'key', ...options })
  return { idem, warn, plain }
}

describe('misuse', () => {
  const idem = createIdem()
  const client = new Anthropic({ apiKey: 'key' })
  const tool = { name: 'now', run: () => 'now' } as unknown as BetaRunnableTool

  test.each([
    ['idempotency() without an idem', () => idempotency(undefined as never), /createIdem\(\)/],
    ['idempotency() of something else', () => idempotency({} as never), /createIdem\(\)/],
    ['idempotency() of a client', () => idempotency(client as never), /createIdem\(\)/],
    ['withIdem() without an idem', () => withIdem(client, undefined as never), /createIdem\(\)/],
    ['withIdem() of something else', () => withIdem(client, {} as never), /createIdem\(\)/],
    ['withIdem() without a client', () => withIdem(undefined as never, idem), /new Anthropic\(\)/],
    ['withIdem() of an empty client', () => withIdem({} as never, idem), /new Anthropic\(\)/],
    ['withIdem() in the wrong order', () => withIdem(idem as never, client as never), /new Anthropic\(\)/],
    ['withIdem() with an unknown option', () => withIdem(client, idem, { scpe: 'x' } as object), /'scpe'/],
    ['effectsOnce() without an idem', () => effectsOnce(undefined as never, [tool]), /createIdem\(\)/],
    ['effectsOnce() of something else', () => effectsOnce({} as never, [tool]), /createIdem\(\)/],
    ['effectsOnce() without tools', () => effectsOnce(idem, undefined as never), /list of tools/],
    ['effectsOnce() of one tool', () => effectsOnce(idem, tool as never), /list of tools/],
    [
      'effectsOnce() of tools that cannot run',
      () => effectsOnce(idem, [{ name: 'now' } as never]),
      /run\(\)/,
    ],
    ['effectsOnce() with a bad ttl', () => effectsOnce(idem, [tool], { ttl: 'soon' as never }), /ttl/],
    ['effectsOnce() with an unknown option', () => effectsOnce(idem, [tool], { tll: 1 } as object), /'tll'/],
  ])('%s is refused at once, and told what to pass', (_, make, told) => {
    expect(make).toThrow(
      expect.objectContaining({
        code: 'IDEM_INVALID_ARGUMENT',
        message: expect.stringMatching(told),
      }),
    )
  })

  test.each([[true], ['chat'], [[]]])('idem: %j is refused before any call', async (idem) => {
    const call = withIdem(open().plain, createIdem()).messages.create(params, { idem: idem as never })
    await expect(call).rejects.toMatchObject({ status: 400, errorCode: 'IDEM_INVALID_ARGUMENT' })
    expect(context.provider.calls).toBe(0)
  })
})

describe('what may add a credential below idem, unseen,', () => {
  const pass: Middleware = (request, next) => next(request)
  const scope = /NOT seen.*withIdem\(client, idem, \{ scope \}\)/

  class Signing extends Anthropic {
    protected override async prepareRequest(): Promise<void> {}
  }
  class Deeper extends Signing {}

  const causes = {
    'a fetch of the client’s own': {
      make: () => open({ fetch: (url, init) => fetch(url, init) }),
      says: /fetch of its own/,
    },
    'a prepareRequest of its class': { make: () => ofClass(Signing), says: /prepareRequest of its own/ },
    'one of a class between': { make: () => ofClass(Deeper), says: /prepareRequest of its own/ },
    'one of this client alone': {
      make() {
        const opened = open()
        Object.assign(opened.plain, { prepareRequest: async () => {} })
        return opened
      },
      says: /prepareRequest of its own/,
    },
  }

  function ofClass(Client: typeof Anthropic) {
    const opened = open()
    return { ...opened, plain: new Client({ baseURL: context.provider.url, apiKey: 'key' }) }
  }

  test.each(Object.entries(causes))('%s: one warning, which names it and the scope', (_, { make, says }) => {
    const { plain, idem, warn } = make()
    withIdem(plain, idem)
    withIdem(plain, idem)
    expect(warn.mock.calls).toEqual([[expect.stringMatching(says)]])
    expect(warn.mock.calls[0]![0]).toMatch(scope)
  })

  test.each(Object.entries(causes))('%s: no warning where the scope is named', (_, { make }) => {
    const { plain, idem, warn } = make()
    withIdem(plain, idem, { scope: 'team' })
    expect(warn).not.toHaveBeenCalled()
  })

  test('that comes later, with withOptions, is warned of too', () => {
    const { plain, idem, warn } = open()
    const later = { fetch: (...args: Parameters<typeof fetch>) => fetch(...args) }
    withIdem(withIdem(plain, idem), idem, { scope: 'team' }).withOptions(later)
    expect(warn).not.toHaveBeenCalled()
    withIdem(plain, idem).withOptions({ timeout: 1 }).withOptions(later)
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/fetch of its own/)]])
  })

  test('is not said of a plain client, its copies, its own middleware, and a client that is wrapped twice', () => {
    const { plain, idem, warn } = open({ middleware: [pass] })
    for (const client of [plain, plain.withOptions({ timeout: 1 }), withIdem(plain, idem)])
      withIdem(client, idem)
    withIdem(new Anthropic({ apiKey: 'key', fetch }), idem)
    withIdem(new Anthropic({ apiKey: 'key', fetch: idem.fetch }), idem)
    expect(warn).not.toHaveBeenCalled()
  })

  test.each([
    ['x-api-key', 'prepareOptions'],
    ['x-user-token', 'prepareOptions'],
    ['x-api-key', 'authHeaders'],
    ['x-user-token', 'authHeaders'],
  ])(
    'is not said of the %s that a class adds above idem in %s: that is seen, and kept apart',
    async (name, hook) => {
      let user = 'a'
      class Gateway extends Anthropic {
        protected override async prepareOptions(options: { headers?: unknown }): Promise<void> {
          if (hook === 'prepareOptions') options.headers = { [name]: user }
        }
        protected override async authHeaders(options: never) {
          const shown = await super.authHeaders(options)
          if (hook === 'authHeaders') shown?.values.set(name, user)
          return shown
        }
      }
      const { idem, warn } = open()
      const client = withIdem(new Gateway({ baseURL: context.provider.url, apiKey: 'key' }), idem)
      for (user of ['a', 'b', 'a']) await client.messages.create(params)
      expect(context.provider.calls).toBe(2)
      expect(warn).not.toHaveBeenCalled()
    },
  )
})

test('toolRunner takes idem for all of its turns', async () => {
  const { plain, idem } = open()
  const client = withIdem(plain, idem)
  const run = (options: object = {}) =>
    client.beta.messages.toolRunner({ ...params, tools: [], thread: false }, options).runUntilDone()
  await run()
  await run()
  expect(context.provider.calls).toBe(1)
  await run({ idem: { bypass: true } })
  expect(context.provider.calls).toBe(2)
  expect(idem.stats()).toMatchObject({ executed: 1, replayed: 1, bypassed: 1 })
})

test('stays on the copies that withOptions makes', async () => {
  const { plain, idem } = open()
  const client = withIdem(plain, idem)
  await client.messages.create(params)
  await client.withOptions({ timeout: 5_000 }).messages.create(params)
  expect(context.provider.calls).toBe(1)
})

describe('of several withIdem', () => {
  test('the last holds, with its options alone: its scope', async () => {
    const { plain, idem, warn } = open()
    const base = withIdem(plain, idem, { scope: 'team' })
    const tenants = ['t1', 't2'].map((scope) => withIdem(base, idem, { scope }))
    for (const { messages } of [...tenants, ...tenants.map((one) => one.withOptions({ timeout: 5_000 }))])
      await messages.create(params)
    expect(context.provider.calls).toBe(2)
    expect(warn).not.toHaveBeenCalled()
  })

  test('the last holds, with its options alone: its bypass, and its idem', async () => {
    const { plain, idem } = open()
    const base = withIdem(plain, idem)
    for (let times = 0; times < 2; times++)
      await withIdem(base, idem, { bypass: true }).messages.create(params)
    expect(context.provider.calls).toBe(2)
    const other = createIdem()
    await withIdem(base, other).messages.create(params)
    expect([idem.stats(), other.stats()]).toMatchObject([{ bypassed: 2, requests: 2 }, { executed: 1 }])
  })

  test('idempotency() that was placed by hand gives way as well, also where it was not last', async () => {
    const { plain, idem } = open()
    let user = 'a'
    const asUser: Middleware = (request, next) => {
      request.headers.set('x-user-token', user)
      return next(request)
    }
    const middleware = [idempotency(idem, { scope: 'team' }), asUser]
    const client = withIdem(plain.withOptions({ middleware }), idem)
    for (user of ['a', 'b', 'a']) await client.messages.create(params)
    expect(context.provider.calls).toBe(2)
  })

  test('idempotency() that was placed twice by hand is warned of once: the first does the work', async () => {
    const { plain, idem, warn } = open()
    const middleware = [idempotency(idem), idempotency(idem, { bypass: true })]
    const client = plain.withOptions({ middleware })
    for (let times = 0; times < 2; times++) await client.messages.create(params)
    expect(context.provider.calls).toBe(1)
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/more than once.*the options of the others.*NOTHING/)],
    ])
  })

  test('a middleware that tries again is not taken for a second idempotency()', async () => {
    const { plain, idem, warn } = open()
    const twice: Middleware = async (request, next) => {
      await next(request)
      return next(request)
    }
    await plain.withOptions({ middleware: [twice, idempotency(idem)] }).messages.create(params)
    expect(idem.stats()).toMatchObject({ requests: 2, executed: 1 })
    expect(warn).not.toHaveBeenCalled()
  })
})

describe('middleware that withOptions() is given', () => {
  const pass: Middleware = (request, next) => next(request)

  test.each<[string, (client: Anthropic) => readonly Middleware[] | undefined]>([
    ['its own', () => [pass]],
    ['none', () => []],
    ['undefined', () => undefined],
    ['what the client has, and its own after it', (client) => [...client.middleware, pass]],
  ])('keeps idem last: %s', async (_, given) => {
    const { plain, idem } = open()
    const client = withIdem(plain, idem)
    const last = client.middleware.at(-1)
    const copy = client.withOptions({ middleware: given(client) }).withOptions({ timeout: 5_000 })
    expect(copy.middleware.indexOf(last!)).toBe(copy.middleware.length - 1)
    for (let times = 0; times < 2; times++) await copy.messages.create(params)
    expect(context.provider.calls).toBe(1)
  })

  test('may name another idem, which is then the one', async () => {
    const { plain, idem, warn } = open()
    const other = createIdem({ logger: { warn } })
    const copy = withIdem(plain, idem).withOptions({ middleware: [pass, idempotency(other)] })
    for (const client of [copy, copy.withOptions({ timeout: 5_000 })]) await client.messages.create(params)
    expect(context.provider.calls).toBe(1)
    expect([idem.stats().requests, other.stats().requests]).toEqual([0, 2])
    expect(warn).not.toHaveBeenCalled()
  })
})

describe('fetchOptions: { idem }', () => {
  test('of a call and of a client is heeded, and is never sent', async () => {
    const seen: object[] = []
    const below: typeof fetch = (url, init) => {
      seen.push(init ?? {})
      return fetch(url, init)
    }
    const idem = createIdem({ logger: { warn() {} } })
    const of = (fetchOptions: NonNullable<ClientOptions['fetchOptions']>) =>
      withIdem(open({ fetch: below, fetchOptions }).plain, idem)
    const client = of({})
    for (const scope of ['u1', 'u2', 'u1'])
      await client.messages.create(params, { fetchOptions: { idem: { scope } } })
    expect(context.provider.calls).toBe(2)
    for (const scope of ['u1', 'u2', 'u3']) await of({ idem: { scope } }).messages.create(params)
    expect(context.provider.calls).toBe(3)
    await client.messages.create(params, { fetchOptions: { idem: { scope: 'u1', bypass: true } } })
    await client.models.list({}, { fetchOptions: { idem: { bypass: true } } }).catch(() => {})
    expect(seen).toHaveLength(5)
    expect(seen.filter((init) => 'idem' in init)).toEqual([])
  })

  test('is heeded by idempotency() in middleware, and refused where it is misspelt', async () => {
    const { plain, idem } = open()
    const client = plain.withOptions({ middleware: [idempotency(idem)] })
    const call = client.messages.create(params, { fetchOptions: { idem: { bypas: true } as object } })
    await expect(call).rejects.toMatchObject({ status: 400, errorCode: 'IDEM_INVALID_ARGUMENT' })
    expect(context.provider.calls).toBe(0)
  })

  test('holds for what the call’s own idem leaves open, name by name', async () => {
    const { plain, idem } = open()
    const client = withIdem(plain, idem)
    const ask = (scope: string, own: object) =>
      client.messages.create(params, { idem: own, fetchOptions: { idem: { scope } } })
    await ask('u1', { ttl: 'chat' })
    await ask('u2', { ttl: 'chat' })
    expect(context.provider.calls).toBe(2)
    await ask('u3', { scope: 'u1' })
    await ask('u2', { scope: undefined })
    expect(context.provider.calls).toBe(2)
    await expect(ask('u1', { scpe: undefined })).rejects.toMatchObject({ status: 400 })
  })
})

describe('bytes as a body', () => {
  const headers = { 'content-type': 'application/json' }
  const post = (client: Anthropic, body: unknown) => client.post('/v1/messages', { body, headers })

  test('are read as the text they are', async () => {
    const { plain, idem, warn } = open()
    const client = withIdem(plain, idem)
    await client.messages.create(params)
    await post(client, new TextEncoder().encode(JSON.stringify(params)))
    expect(context.provider.calls).toBe(1)
    expect(warn).not.toHaveBeenCalled()
  })

  test('that are not UTF-8 go out as they came, counted as bypassed, with one warning', async () => {
    const { plain, idem, warn } = open()
    const client = withIdem(plain, idem)
    for (let times = 0; times < 2; times++) await post(client, Uint8Array.of(0xff, 0xfe)).catch(() => {})
    expect(context.provider.calls).toBe(2)
    expect(idem.stats()).toMatchObject({ requests: 2, bypassed: 2 })
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/not UTF-8.*NOT shared/)]])
  })
})

describe('a client that was patched before', () => {
  const patched = {
    'a method of a resource': (client: Anthropic) => {
      client.messages.create = client.messages.create.bind(client.messages)
      return [client, 'messages.create'] as const
    },
    'a method of a resource of a resource, not enumerable': (client: Anthropic) => {
      const { messages } = client.beta
      Object.defineProperty(messages, 'create', { value: messages.create.bind(messages) })
      return [client, 'beta.messages.create'] as const
    },
    'a method of the client': (client: Anthropic) => {
      client.post = client.post.bind(client) as never
      return [client, 'post'] as const
    },
    'a resource': (client: Anthropic) => {
      const { messages } = client
      client.messages = { create: messages.create.bind(messages) } as never
      return [client, 'messages'] as const
    },
    'a resource, by a Proxy': (client: Anthropic) => {
      client.messages = new Proxy(client.messages, {})
      return [client, 'messages'] as const
    },
    'the client, by a Proxy': (client: Anthropic) => {
      const bound = (value: unknown) => (typeof value === 'function' ? value.bind(client) : value)
      return [
        new Proxy(client, { get: (_, name) => bound(Reflect.get(client, name)) }),
        'by a Proxy',
      ] as const
    },
  }

  test.each(Object.entries(patched))('%s: one warning, which names it and what to do', (_, patch) => {
    const { plain, idem, warn } = open()
    const [client, named] = patch(plain)
    for (let times = 0; times < 2; times++) withIdem(client, idem)
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/patched before.*Call withIdem first/)]])
    expect(warn.mock.calls[0]![0]).toContain(`${named})`)
  })

  test('is not one whose class patches it, nor one that is patched after withIdem', () => {
    class Traced extends Anthropic {
      constructor(options: ClientOptions) {
        super(options)
        this.messages.create = this.messages.create.bind(this.messages)
      }
    }
    const { idem, warn } = open()
    const client = withIdem(new Traced({ apiKey: 'key' }), idem)
    client.withOptions({ timeout: 1 })
    expect(warn).not.toHaveBeenCalled()
  })
})

test('keeps what a subclass holds besides its options', async () => {
  class Gateway extends Anthropic {
    token: () => string = () => 'nobody'
    protected override async prepareOptions(options: { headers?: unknown }): Promise<void> {
      options.headers = { 'x-api-key': this.token() }
    }
  }
  const gateway = new Gateway({ baseURL: context.provider.url, apiKey: 'key' })
  gateway.token = () => 'a'
  await withIdem(gateway, createIdem()).messages.create(params)
  expect(context.provider.requests[0]!.headers['x-api-key']).toBe('a')
})

test('says what to do for a client that cannot be copied', () => {
  class Tenant extends Anthropic {
    constructor(tenant: string) {
      super({ apiKey: tenant.toUpperCase() })
    }
  }
  expect(() => withIdem(new Tenant('a'), createIdem())).toThrow(/could not copy .*idempotency\(idem\)/)
})

test.each([
  ['of the client', { timeout: 400 }, () => ({})],
  ['of the call', {}, () => ({ timeout: 400 })],
  ['of the caller', {}, () => ({ signal: AbortSignal.timeout(400) })],
])(
  'a timeout %s ends the wait and not the call, however short the grace',
  async (_, clientOptions, options) => {
    const idem = createIdem({
      tuning: { abandonGraceMs: 1 },
    })
    const client = withIdem(open({ maxRetries: 0, ...clientOptions }).plain, idem)
    context.provider.reply({ latencyMs: 900 })
    await expect(client.messages.create(params, options())).rejects.toThrow()
    expect(await context.provider.requests[0]!.done).toBe('finished')
    await client.messages.create(params, { timeout: 10_000 })
    expect(context.provider.calls).toBe(1)
  },
)

test('an abort is not a timeout: the call is cancelled once everybody has left', async () => {
  const idem = createIdem({
    tuning: { abandonGraceMs: 1 },
  })
  const client = withIdem(open().plain, idem)
  context.provider.reply({ hang: true })
  const leaver = new AbortController()
  const arrived = context.provider.nextCall()
  const call = client.messages.create(params, { signal: leaver.signal })
  const { done } = await arrived
  leaver.abort()
  await expect(call).rejects.toThrow()
  expect(await done).toBe('aborted')
})
