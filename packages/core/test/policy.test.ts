import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type CallOptions,
  type ClientOptions,
  createIdem,
  type IdemOptions,
  type Logger,
} from '../src/index.js'
import { withoutFields } from '../src/key/body-fields.js'
import { atOnce } from '../src/key/steps.js'
import { ttlMs } from '../src/options/ttl.js'
import { toyDialect } from './toy-dialect.js'

// Ages count in seconds, and no second may pass between a call and its replay.
beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => vi.useRealTimers())

/** Requests with `temperature` ask for variety, answers with `tool` for a tool. */
const dialect = {
  ...toyDialect,
  identify: (body: Record<string, unknown>) => ({
    ...toyDialect.identify(body),
    isSampled: 'temperature' in body,
  }),
  assess: (answer: Record<string, unknown>) => ({
    keep: 'tool' in answer ? ('tool-calls' as const) : ('store' as const),
  }),
}

interface Asked {
  readonly body?: object
  readonly client?: ClientOptions
  readonly options?: CallOptions
  readonly headers?: Record<string, string>
  readonly answer?: object
}

function idemWith(options: IdemOptions = {}) {
  const idem = createIdem(options)
  const send = vi.fn()
  async function ask({ body = {}, client, options, headers, answer = {} }: Asked = {}) {
    send.mockImplementation(async () => Response.json(answer))
    const request = { url: 'http://toy/', method: 'POST', body: JSON.stringify(body) }
    const response = await idem.exchange({
      dialect,
      request: { ...request, headers: new Headers({ authorization: 'key', ...headers }) },
      send,
      options,
      client,
    })
    const status = response.headers.get('cache-status')
    return { response, status, ttl: Number(/ttl=(\d+)/.exec(status ?? '')?.[1]) }
  }
  /** The ttl in seconds a replay of this call names; undefined where it is not shared. */
  async function ttlOf(asked: Asked = {}): Promise<number | undefined> {
    await ask(asked)
    const { status, ttl } = await ask(asked)
    return status?.includes('hit') ? ttl : undefined
  }
  return { idem, send, ask, ttlOf }
}

describe('a ttl', () => {
  test.each([
    ['retry', 60],
    ['chat', 300],
    ['analysis', 3_600],
    ['batch', 86_400],
    [90_000, 90],
    ['90s', 90],
    ['1.5h', 5_400],
    ['2 hours', 7_200],
    ['1500ms', 1.5],
  ])('%s is %d seconds', (ttl, seconds) => {
    expect(ttlMs(ttl)).toBe(seconds * 1_000)
  })

  test.each([0, -1, Number.NaN, '', '90', '5 parsecs', '-3s', 'toString', 'x'.repeat(200), null, [], true])(
    'is not %j',
    (ttl) => {
      const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })
      expect(() => ttlMs(ttl)).toThrow(invalid)
      expect(() => createIdem({ ttl: ttl as never })).toThrow(invalid)
    },
  )

  test('of the call wins over that of the client, over the policy, over the idem; of the idem it is an hour', async () => {
    expect(await idemWith().ttlOf()).toBe(3_600)
    expect(await idemWith({ ttl: '30m' }).ttlOf()).toBe(1_800)
    const policy = () => ({ ttl: '20m' }) as const
    expect(await idemWith({ ttl: '30m', policy }).ttlOf()).toBe(1_200)
    const client = { ttl: 'chat' } as const
    expect(await idemWith({ ttl: '30m', policy }).ttlOf({ client })).toBe(300)
    expect(await idemWith({ ttl: '30m', policy }).ttlOf({ client, options: { ttl: 'retry' } })).toBe(60)
  })
})

describe('a policy', () => {
  test('decides by the request: what it is, where it goes, who asks', async () => {
    const policy = vi.fn(({ body }) => (body.model === 'big' ? { ttl: 'batch' as const } : undefined))
    const { ttlOf } = idemWith({ policy })
    expect(await ttlOf({ body: { model: 'big', stream: false }, headers: { 'x-user': 'u' } })).toBe(86_400)
    expect(await ttlOf({ body: { model: 'small' } })).toBe(3_600)
    const [seen] = policy.mock.calls[0]!
    expect(seen).toMatchObject({ door: 'toy', url: 'http://toy/', body: { model: 'big' } })
    expect(seen.headers.get('x-user')).toBe('u')
    expect(seen.body).not.toHaveProperty('stream')
  })

  test('is given copies: what it does to them changes neither the key nor the request', async () => {
    const { ask, send } = idemWith({
      policy: ({ body, headers }) => {
        delete (body as { prompt?: string }).prompt
        headers.delete('x-user')
        return undefined
      },
    })
    for (const prompt of ['x', 'y']) await ask({ body: { prompt } })
    expect(send).toHaveBeenCalledTimes(2)
    expect(send.mock.lastCall?.[0].body).toBe('{"prompt":"y"}')
  })

  test('may give a scope, so that tenants behind one credential share nothing', async () => {
    const { ask, send } = idemWith({
      policy: ({ headers }) => ({ scope: headers.get('x-tenant') ?? 'none' }),
    })
    for (const tenant of ['a', 'b', 'a']) await ask({ headers: { 'x-tenant': tenant } })
    expect(send).toHaveBeenCalledTimes(2)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['returns a promise', (async () => ({ ttl: 'chat' })) as never],
    ['rejects', (async () => Promise.reject(new Error('broken'))) as never],
    ['says what no call can ask for', () => ({ tll: 5 }) as never],
    ['gives an invalid ttl', () => ({ ttl: 'chats' }) as never],
  ])('that %s is an error before any call', async (_, policy) => {
    const { ask, send } = idemWith({ policy })
    const { response } = await ask()
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'IDEM_INVALID_ARGUMENT' })
    expect(send).not.toHaveBeenCalled()
  })
})

describe('a request that asks for variety', () => {
  const body = { temperature: 0.7 }

  test('is shared for a minute, or less where everything is', async () => {
    expect(await idemWith().ttlOf({ body })).toBe(60)
    expect(await idemWith({ ttl: '10s' }).ttlOf({ body })).toBe(10)
  })

  test("is not shared at all with sampling: 'bypass', of whichever layer", async () => {
    expect(await idemWith({ sampling: 'bypass' }).ttlOf({ body })).toBeUndefined()
    expect(await idemWith().ttlOf({ body, client: { sampling: 'bypass' } })).toBeUndefined()
    expect(await idemWith().ttlOf({ body, options: { sampling: 'bypass' } })).toBeUndefined()
    const { idem, ask, send } = idemWith({ sampling: 'bypass' })
    await Promise.all([ask({ body }), ask({ body })])
    expect(send).toHaveBeenCalledTimes(2)
    expect(idem.stats()).toMatchObject({ bypassed: 2, requests: 2, hits: 0 })
    expect(await idemWith({ sampling: 'bypass' }).ttlOf()).toBe(3_600)
  })

  test('is shared as others are where a ttl or a key is given for it', async () => {
    for (const sampling of ['window', 'bypass'] as const) {
      const { ttlOf } = idemWith({ sampling })
      expect(await ttlOf({ body, options: { ttl: 'chat' } })).toBe(300)
      expect(await ttlOf({ body, client: { ttl: 'chat' } })).toBe(300)
      expect(await ttlOf({ body, options: { key: `click ${sampling}` } })).toBe(3_600)
      expect(await ttlOf({ body, headers: { 'idempotency-key': `header ${sampling}` } })).toBe(3_600)
    }
  })
})

describe('an answer that asks for tools', () => {
  const answer = { tool: 'ticket' }

  test('is shared with those who wait, and not stored', async () => {
    const { ask, send } = idemWith()
    await Promise.all([ask({ answer }), ask({ answer })])
    expect(send).toHaveBeenCalledTimes(1)
    await ask({ answer })
    expect(send).toHaveBeenCalledTimes(2)
  })

  test("is stored with toolCalls: 'store', of whichever layer", async () => {
    expect(await idemWith({ toolCalls: 'store' }).ttlOf({ answer })).toBe(3_600)
    expect(await idemWith().ttlOf({ answer, client: { toolCalls: 'store' } })).toBe(3_600)
    expect(await idemWith().ttlOf({ answer, options: { toolCalls: 'store' } })).toBe(3_600)
  })
})

describe('ignoreBodyFields', () => {
  test('leaves fields of the body out of the key, and no others of their name', async () => {
    const { ask, send } = idemWith({ ignoreBodyFields: ['metadata', 'messages.*.id', 'user.trace.id'] })
    const body = (ignored: number, counted: number) => ({
      metadata: { any: ignored },
      nested: { metadata: counted },
      messages: [
        { id: ignored, text: 'a' },
        { id: ignored, text: counted },
      ],
      user: { trace: { id: ignored }, id: counted },
      id: counted,
    })
    await ask({ body: body(1, 1) })
    await ask({ body: body(2, 1) })
    expect(send).toHaveBeenCalledTimes(1)
    await ask({ body: body(2, 2) })
    expect(send).toHaveBeenCalledTimes(2)
  })

  test('never makes one key of bodies that differ elsewhere', () => {
    const path = fc.array(fc.constantFrom('a', 'b', '0', '*'), { minLength: 1, maxLength: 3 })
    const names = fc.constantFrom('a', 'b', 'c')
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.integer({ max: 9 }),
        fc.array(tie('tree')),
        fc.dictionary(names, tie('tree')),
      ),
    }))
    fc.assert(
      fc.property(tree, fc.array(path, { maxLength: 3 }), (value, paths) => {
        const kept = leavesOf(value).filter(
          ([at]) =>
            !paths.some((one) =>
              one.every((name, level) => (name === '*' ? level < at.length : name === at[level])),
            ),
        )
        const left = leavesOf(
          atOnce(
            withoutFields(
              value,
              paths.map((one) => one.join('.')),
            ),
          ),
        )
        // Leaving out an element moves the ones after it, so only values are compared.
        expect(left.map(([, leaf]) => leaf)).toEqual(kept.map(([, leaf]) => leaf))
      }),
    )
  })
})

test.each<[string, CallOptions]>([
  ['an unknown option', { bypas: true } as never],
  ['sampling of an unknown kind', { sampling: 'always' as never }],
  ['tool calls of an unknown kind', { toolCalls: 'drop' as never }],
  ['ignoreBodyFields that are no list', { ignoreBodyFields: 'metadata' as never }],
  ['ignoreBodyFields of what is not a path', { ignoreBodyFields: [7] as never }],
  ['ignoreBodyFields with an empty name', { ignoreBodyFields: ['metadata.'] }],
  ['a refresh that is neither', { refresh: 'yes' as never }],
])('%s is refused before any call', async (_, options) => {
  const { ask, send } = idemWith()
  expect((await ask({ options })).response.status).toBe(400)
  expect(send).not.toHaveBeenCalled()
})

test('a body that is nested too deeply to be followed is the provider’s to judge, and not shared', async () => {
  const { idem, send } = idemWith({ logger: { warn() {} } })
  send.mockImplementation(async () => Response.json({}))
  const body = `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`
  const request = { url: 'http://toy/', method: 'POST', headers: new Headers({ authorization: 'key' }), body }
  for (let call = 0; call < 2; call++) await idem.exchange({ dialect, request, send })
  expect(send).toHaveBeenCalledTimes(2)
  expect(idem.stats()).toMatchObject({ bypassed: 2 })
})

test('two doors of idem on one way do the work once, and say so to debug', async () => {
  const lines: string[] = []
  const logger: Logger = { warn() {}, debug: (line) => lines.push(line) }
  const { idem, ask } = idemWith({ logger })
  const request = {
    url: 'http://toy/',
    method: 'POST',
    headers: new Headers({ authorization: 'key' }),
    body: '{"outer":1}',
  }
  await idem.exchange({ dialect, request, send: async () => (await ask({ body: { outer: 1 } })).response })
  expect(idem.stats()).toMatchObject({ requests: 1, executed: 1 })
  expect(lines).toEqual([expect.stringMatching(/^idem: Two doors .* toy call/)])
})

/** The numbers in a JSON value, each with the way to it. */
function leavesOf(value: unknown, at: readonly string[] = []): (readonly [readonly string[], unknown])[] {
  if (typeof value !== 'object' || value === null) return [[at, value]]
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...at, name]))
}
