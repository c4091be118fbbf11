import { getMaxListeners } from 'node:events'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import type { Exchange, HttpRequest } from '../src/dialect.js'
import { createIdem, type IdemOptions } from '../src/index.js'
import { deferred } from './tools.js'
import { toyDialect } from './toy-dialect.js'

const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })

function requestOf(body = '{}') {
  return { url: 'http://toy/', method: 'POST', headers: new Headers({ authorization: 'key' }), body }
}

function exchangeOf(more: object = {}): Exchange {
  return { dialect: toyDialect, request: requestOf(), send: async () => Response.json({}), ...more }
}

describe('an exchange that cannot be one', () => {
  const request = requestOf()
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a list', []],
    ['no dialect', exchangeOf({ dialect: undefined })],
    ['an empty dialect', exchangeOf({ dialect: {} })],
    [
      'a dialect that names no credentials',
      exchangeOf({ dialect: { ...toyDialect, credentialHeaders: undefined } }),
    ],
    ['a dialect with the door of run', exchangeOf({ dialect: { ...toyDialect, door: 'run' } })],
    [
      'a dialect whose header names are not in lower case',
      exchangeOf({ dialect: { ...toyDialect, credentialHeaders: ['Authorization'] } }),
    ],
    ['a dialect whose sets are one name', exchangeOf({ dialect: { ...toyDialect, setHeaders: 'toy-beta' } })],
    ['no request', exchangeOf({ request: undefined })],
    ['headers that are an object', exchangeOf({ request: { ...request, headers: {} } })],
    ['a body that is not a text', exchangeOf({ request: { ...request, body: new Uint8Array() } })],
    ['an invalid URL', exchangeOf({ request: { ...request, url: '/v1' } })],
    ['an invalid signal', exchangeOf({ request: { ...request, signal: {} } })],
    ['no send', exchangeOf({ send: undefined })],
    ['a timeout that is not a number', exchangeOf({ timeoutMs: Number.NaN })],
    ['a timeout before now', exchangeOf({ timeoutMs: -1 })],
    ['a member nobody knows', exchangeOf({ optoins: {} })],
    ['an init that is not an object', exchangeOf({ request: { ...request, init: 'manual' } })],
    ['an init that is no JSON', exchangeOf({ request: { ...request, init: { agent() {} } } })],
    ['a reason without words', exchangeOf({ opaque: 'agent' })],
    ['an isTimeout that is not a function', exchangeOf({ isTimeout: true })],
  ])('is refused before anything is sent: %s', async (_, one) => {
    await expect(createIdem().exchange(one as Exchange)).rejects.toThrow(invalid)
  })

  test.each([Number.POSITIVE_INFINITY, 2 ** 40])(
    'a timeout longer than any timer means no limit: %d',
    async (timeoutMs) => {
      expect((await createIdem().exchange(exchangeOf({ timeoutMs }))).status).toBe(200)
    },
  )
})

describe('a request for a stream that its dialect cannot read', () => {
  const { streams: _, ...dialect } = {
    ...toyDialect,
    identify: (body: object) => ({ body, streaming: true, isSampled: false }),
  }

  function asking(more: object = {}) {
    const warnings: string[] = []
    const idem = createIdem({ logger: { warn: (one) => warnings.push(one) } })
    const send = vi.fn(async () => new Response('raw'))
    return { idem, warnings, send, ask: () => idem.exchange(exchangeOf({ dialect, send, ...more })) }
  }

  test('is passed on as it is, counted as bypassed, and told of once', async () => {
    const { idem, warnings, send, ask } = asking()
    for (let times = 0; times < 2; times++) expect(await (await ask()).text()).toBe('raw')
    expect(send).toHaveBeenCalledTimes(2)
    expect(idem.stats()).toMatchObject({ requests: 2, bypassed: 2, executed: 0 })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/reads no streams of toy requests.*NOT shared.*ask for the whole answer/)
  })

  test('is not told of where its caller bypasses', async () => {
    const { idem, warnings, ask } = asking({ options: { bypass: true } })
    await ask()
    expect(idem.stats().bypassed).toBe(1)
    expect(warnings).toEqual([])
  })
})

describe('options', () => {
  const inherited = Object.create({ bypass: true })
  const odd: [string, unknown][] = [
    ['a promise, without its await', Promise.resolve({ bypass: true })],
    ['a Map', new Map([['bypass', true]])],
    ['a date', new Date()],
    ['an object that inherits', inherited],
    ['a list', []],
    ['null', null],
    ['false', false],
    ['a text', 'bypass'],
  ]
  test.each(odd)('of a call or a client are refused where they are %s', async (_, options) => {
    const send = vi.fn(async () => Response.json({}))
    for (const name of ['options', 'client']) {
      const response = await createIdem().exchange(exchangeOf({ send, [name]: options }))
      expect(response.status).toBe(400)
    }
    expect(send).not.toHaveBeenCalled()
  })

  test.each(odd)('of createIdem are refused where they are %s', (_, options) => {
    expect(() => createIdem(options as IdemOptions)).toThrow(invalid)
  })

  test('without a prototype are fine', async () => {
    const options = Object.assign(Object.create(null), { bypass: true })
    expect((await createIdem().exchange(exchangeOf({ options }))).headers.get('cache-status')).toBeNull()
  })

  test('that bypass leave the warning about credentials to calls that are not shared for that', async () => {
    const warn = vi.fn()
    const idem = createIdem({ logger: { warn } })
    const request = { ...requestOf(), headers: new Headers() }
    await idem.exchange(exchangeOf({ request, options: { bypass: true } }))
    expect(warn).not.toHaveBeenCalled()
    await idem.exchange(exchangeOf({ request }))
    expect(warn).toHaveBeenCalledTimes(1)
  })
})

describe('an Idempotency-Key header', () => {
  const withKey = (key: string) => ({
    ...requestOf(),
    headers: new Headers({ authorization: 'key', 'idempotency-key': key }),
  })

  test('that is empty counts as absent', async () => {
    const idem = createIdem()
    const send = vi.fn(async () => Response.json({}))
    for (const request of [withKey(''), requestOf()]) await idem.exchange(exchangeOf({ request, send }))
    expect(send).toHaveBeenCalledTimes(1)
  })

  test('that is too long refuses the call, unless it is not used', async () => {
    const request = withKey('k'.repeat(1025))
    const status = async (options: object) =>
      (await createIdem().exchange(exchangeOf({ request, options }))).status
    expect(await status({})).toBe(400)
    expect(await status({ bypass: true })).toBe(200)
    expect(await status({ key: 'own' })).toBe(200)
  })
})

describe('a fetch below idem', () => {
  test('may give a Response with a Node stream, as node-fetch does: whole and streamed', async () => {
    const idem = createIdem()
    const answer = (text: string, type: string) => ({
      status: 200,
      statusText: 'OK',
      headers: new Headers({ 'content-type': type }),
      body: Readable.from([Buffer.from(text.slice(0, 2)), Buffer.from(text.slice(2))]),
      arrayBuffer: async () => Buffer.from(text),
    })
    const whole = await idem.exchange(
      exchangeOf({ send: async () => answer('{"letters":"abc"}', 'application/json') }),
    )
    expect(await whole.json()).toEqual({ letters: 'abc' })
    const request = requestOf('{"stream":true,"other":1}')
    const stream = await idem.exchange(
      exchangeOf({ request, send: async () => answer('abc.', 'text/event-stream') }),
    )
    expect(await stream.text()).toBe('abc.')
  })

  test.each([undefined, null, {}, { status: 200 }, 'text'])(
    'that gives something else is reported as such, and not asked again: %j',
    async (response) => {
      const send = vi.fn(async () => response as never)
      const told = await createIdem().exchange(exchangeOf({ send }))
      expect(told.status).toBe(400)
      expect(told.headers.get('x-should-retry')).toBe('false')
      expect(await told.json()).toMatchObject({ code: 'IDEM_INVALID_ARGUMENT' })
      expect(send).toHaveBeenCalledTimes(1)
    },
  )

  test('may ask how many listeners the signals of its callers allow, as undici does', async () => {
    const { signal } = new AbortController()
    const asked: number[] = []
    const send = async ({ signal: given }: HttpRequest) => {
      asked.push(getMaxListeners(given!))
      return Response.json({})
    }
    await createIdem().exchange(exchangeOf({ request: { ...requestOf(), signal }, send, timeoutMs: 60_000 }))
    asked.push(getMaxListeners(signal))
    expect(asked).toHaveLength(2)
  })
})

test('a body nested too deeply is sent, not shared, told once, with a policy and without', async () => {
  const warn = vi.fn()
  const body = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  for (const policy of [undefined, () => undefined]) {
    const idem = createIdem({ logger: { warn }, policy })
    const send = vi.fn(async () => Response.json({}))
    const one = exchangeOf({ request: requestOf(body), send })
    expect([(await idem.exchange(one)).status, (await idem.exchange(one)).status]).toEqual([200, 200])
    expect(send).toHaveBeenCalledTimes(2)
    expect(idem.stats()).toMatchObject({ bypassed: 2 })
  }
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/NOT shared/)],
    [expect.stringMatching(/NOT shared/)],
  ])
})

test('a key a caller gives never meets the key idem makes of a request', async () => {
  const idem = createIdem()
  const send = vi.fn(async () => Response.json({}))
  const first = await idem.exchange(exchangeOf({ send }))
  const events: { digest?: string }[] = []
  idem.on('call', (event) => events.push(event))
  await idem.exchange(exchangeOf({ send }))
  const digest = events[0]!.digest!
  expect(first.headers.get('cache-status')).toContain(digest)
  // Whatever key is given, a request without one keeps the key it had before.
  await idem.exchange(exchangeOf({ request: requestOf('{"other":1}'), send, options: { key: digest } }))
  expect((await idem.exchange(exchangeOf({ send }))).status).toBe(200)
  expect(send).toHaveBeenCalledTimes(2)
})

test('what a call left behind is no part of it: its timers ask as anybody does', async () => {
  const idem = createIdem()
  const send = vi.fn(async () => Response.json({}))
  const later = deferred<Response[]>()
  const isOver = deferred()
  await idem.exchange(
    exchangeOf({
      request: requestOf('{"outer":1}'),
      send: async () => {
        void isOver.promise.then(async () => {
          const asked = [idem.exchange(exchangeOf({ send })), idem.exchange(exchangeOf({ send }))]
          later.resolve(await Promise.all(asked))
        })
        return Response.json({})
      },
    }),
  )
  await delay(0)
  isOver.resolve()
  expect(await later.promise).toHaveLength(2)
  expect(send).toHaveBeenCalledTimes(1)
})
