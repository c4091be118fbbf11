import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type CallOptions, createIdem, type IdemOptions } from '../src/index.js'
import { toyDialect } from './toy-dialect.js'

const dialect = {
  ...toyDialect,
  credentialHeaders: ['authorization', 'x-api-key'],
  setHeaders: ['toy-beta'],
}

type Sent = Record<string, string>

/** Sends the same body with each of these headers, one after the other. Gives the number of calls that were made. */
async function callsFor(sent: readonly Sent[], options: CallOptions = {}, ofIdem: IdemOptions = {}) {
  const idem = createIdem({ logger: { warn() {} }, ...ofIdem })
  const send = vi.fn(async () => Response.json({}))
  for (const headers of sent) {
    const request = { url: 'http://toy/', method: 'POST', body: '{}', headers: new Headers(headers) }
    await idem.exchange({ dialect, request, send, options })
  }
  await idem.close()
  return send.mock.calls.length
}

const visible = { authorization: 'Bearer unused' }
const with_ = (name: string, ...values: string[]) => values.map((value) => ({ ...visible, [name]: value }))

/** The values a header may have: visible characters, with spaces between them. */
const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)

const HARMLESS = [
  'user-agent',
  'x-stainless-lang',
  'x-stainless-package-version',
  'x-stainless-os',
  'x-stainless-arch',
  'x-stainless-runtime',
  'x-stainless-runtime-version',
  'x-stainless-retry-count',
  'x-stainless-timeout',
  'x-stainless-helper',
  'x-stainless-helper-method',
  'traceparent',
  'tracestate',
  'baggage',
  'b3',
  'sentry-trace',
  'x-datadog-trace-id',
  'x-amzn-trace-id',
  'x-request-id',
  'x-client-request-id',
  'x-correlation-id',
  'accept-encoding',
  'connection',
  'keep-alive',
  'te',
  'content-length',
]

const CREDENTIALS = [
  'x-api-key',
  'api-key',
  'x-portkey-virtual-key',
  'x-portkey-api-key',
  'x-goog-api-key',
  'ocp-apim-subscription-key',
  'proxy-authorization',
  'x-amz-security-token',
  'cookie',
  'x-session-token',
  'x-auth-request-access-token',
  'helicone-auth',
  'cf-aig-authorization',
]

describe('a header', () => {
  test('nobody knows keeps requests apart, whatever its name and its values', async () => {
    const name = fc
      .stringMatching(/^[a-z][a-z0-9]{0,10}(-[a-z0-9]{1,10}){0,4}$/)
      .filter((one) => ![...HARMLESS, 'idempotency-key', 'expect', 'trailer', 'upgrade'].includes(one))
    await fc.assert(
      fc.asyncProperty(name, value, value, async (name, one, other) => {
        fc.pre(one !== other && !['accept', 'content-type'].includes(name))
        expect(await callsFor(with_(name, one, other))).toBe(2)
        // Whether it is there counts, too.
        expect(await callsFor([visible, ...with_(name, one)])).toBe(2)
      }),
      { numRuns: 200 },
    )
  })

  test.each(HARMLESS)('known to be harmless never does: %s', async (name) => {
    await fc.assert(
      fc.asyncProperty(value, value, async (one, other) => {
        expect(await callsFor([...with_(name, one, other), visible])).toBe(1)
      }),
      { numRuns: 20 },
    )
  })

  test.each(CREDENTIALS)('that is a credential keeps callers apart: %s', async (name) => {
    expect(await callsFor(with_(name, 'one', 'two', 'one'))).toBe(2)
    // Also with a key of the caller's: the same key of another user is another one.
    expect(await callsFor(with_(name, 'one', 'two', 'one'), { key: 'same' })).toBe(2)
  })

  test.each([
    ['accept', 'application/json', '*/*', 'text/event-stream', 'application/json, text/event-stream'],
    [
      'content-type',
      'application/json',
      'application/json; charset=utf-8',
      'application/json;charset="UTF-8"',
    ],
  ])('is harmless with values that say nothing: %s', async (name, ...values) => {
    expect(await callsFor([...with_(name, ...values), visible])).toBe(1)
  })

  test.each([
    ['accept', 'application/vnd.toy.v2+json'],
    ['accept', 'text/plain, application/json'],
    ['accept', 'application/json;q=0'],
    ['content-type', 'text/plain'],
    ['content-type', 'application/json; charset=latin1'],
    ['content-type', 'application/json; profile=v2'],
  ])('counts with any other value: %s: %s', async (name, value) => {
    expect(await callsFor([...with_(name, value), visible])).toBe(2)
  })

  test.each(['idempotency-key', 'x-idempotency-key', 'request-key', 'x-once'])(
    'that holds a key which an SDK made up for each call says nothing of what is the same: %s',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(fc.uuid(), fc.uuid(), async (one, other) => {
          const keys = [one, other].map((id) => `stainless-node-retry-${id}`)
          expect(await callsFor([...with_(name, ...keys), visible])).toBe(1)
          // A key that only looks like a user's own.
          expect(await callsFor(with_(name, `${keys[0]}x`, `${keys[0]}y`))).toBe(2)
          // It does not join the credentials of two users.
          const others = keys.map((key, index) => ({ authorization: `Bearer ${index}`, [name]: key }))
          expect(await callsFor(others)).toBe(2)
        }),
        { numRuns: 20 },
      )
    },
  )

  test('that is named in scopeHeaders counts whatever its value', async () => {
    const keys = [1, 2].map((n) => `stainless-node-retry-0000000${n}-0000-4000-8000-000000000000`)
    expect(await callsFor(with_('x-once', ...keys), { scopeHeaders: ['x-once'] })).toBe(2)
  })

  test('that is a list in any order counts as a set', async () => {
    expect(await callsFor(with_('toy-beta', 'b, a,a', 'a,b', 'a , b'))).toBe(1)
    expect(await callsFor(with_('toy-beta', 'b, a', 'a'))).toBe(2)
    // Only where the dialect says so.
    expect(await callsFor(with_('other-beta', 'b, a', 'a, b'))).toBe(2)
  })
})

describe('a request without a credential its dialect knows', () => {
  test.each<Sent>([
    {},
    { cookie: 'session=1' },
    { 'x-portkey-api-key': 'one' },
    { 'x-idempotency-key': 'one' },
  ])('is not shared, with one warning that says what to do: %j', async (headers) => {
    const warn = vi.fn()
    expect(await callsFor([headers, headers], {}, { logger: { warn } })).toBe(2)
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn.mock.calls[0]![0]).toMatch(/NOT shared.*scope.*scopeHeaders/)
  })

  test('is shared within a scope, and by a header of scopeHeaders', async () => {
    expect(await callsFor([{}, {}], { scope: 'team' })).toBe(1)
    const sent = [
      { 'x-portkey-api-key': 'one' },
      { 'x-portkey-api-key': 'one' },
      { 'x-portkey-api-key': 'two' },
    ]
    expect(await callsFor(sent, { scopeHeaders: ['X-Portkey-Api-Key'] })).toBe(2)
  })
})

describe('a scope that is given', () => {
  test('stands for the credentials of the dialect, which may change from call to call', async () => {
    const rotating: Sent[] = [
      { authorization: 'Bearer 1' },
      { authorization: 'Bearer 2' },
      { 'x-api-key': '3' },
    ]
    expect(await callsFor(rotating, { scope: 'team' })).toBe(1)
  })

  test('stands for nothing else: other headers keep requests apart', async () => {
    expect(await callsFor(with_('x-user-id', 'one', 'two'), { scope: 'team' })).toBe(2)
    expect(await callsFor(with_('x-portkey-virtual-key', 'one', 'two'), { scope: 'team' })).toBe(2)
    expect(
      await callsFor(with_('x-api-key', 'one', 'two'), { scope: 't', scopeHeaders: ['x-api-key'] }),
    ).toBe(2)
  })
})

describe('ignoreHeaders and scopeHeaders', () => {
  test('leave a header out of the key, and put one into the scope', async () => {
    expect(
      await callsFor(with_('x-forwarded-for', '1.1.1.1', '2.2.2.2'), { ignoreHeaders: ['X-Forwarded-For'] }),
    ).toBe(1)
    expect(await callsFor(with_('cookie', 'a', 'b'), { ignoreHeaders: ['cookie'] })).toBe(1)
    expect(await callsFor(with_('user-agent', 'a', 'b'), { scopeHeaders: ['user-agent'] })).toBe(2)
    expect(
      await callsFor(with_('x-user-id', 'a', 'b', 'a'), { scopeHeaders: ['x-user-id'], key: 'same' }),
    ).toBe(2)
  })

  test.each(['authorization', 'x-api-key', 'x-user-id'])(
    'leave a request apart whose %s is empty',
    async (name) => {
      const sent = ['', 'Bearer ', 'Basic'].map((value) => ({ [name]: value }))
      expect(await callsFor(sent, { scopeHeaders: ['x-user-id'] })).toBe(3)
    },
  )

  test('two users may use one key, within a scope too', async () => {
    const options = { scope: 'team', scopeHeaders: ['x-user-id'], key: 'same' }
    expect(await callsFor(with_('x-user-id', 'a', 'b', 'a', 'b'), options)).toBe(2)
  })

  test('a header that comes twice counts with all its values', async () => {
    const idem = createIdem()
    const send = vi.fn(async () => Response.json({}))
    for (const first of ['u=1', 'u=2']) {
      const headers = new Headers(visible)
      headers.append('set-cookie', first)
      headers.append('set-cookie', 'z')
      await idem.exchange({
        dialect,
        request: { url: 'http://toy/', method: 'POST', body: '{}', headers },
        send,
        options: { scope: 't' },
      })
    }
    expect(send).toHaveBeenCalledTimes(2)
  })

  test('of all credentials leave nothing to share by', async () => {
    expect(await callsFor([visible, visible], { ignoreHeaders: ['authorization'] })).toBe(2)
  })

  test('can be given at all four levels', async () => {
    const ignoreHeaders = ['x-trace']
    const sent = with_('x-trace', '1', '2')
    expect(await callsFor(sent, {}, { ignoreHeaders })).toBe(1)
    expect(await callsFor(sent, {}, { policy: () => ({ ignoreHeaders }) })).toBe(1)
    expect(await callsFor(sent, { ignoreHeaders })).toBe(1)
    const idem = createIdem()
    const send = vi.fn(async () => Response.json({}))
    for (const headers of sent) {
      const request = { url: 'http://toy/', method: 'POST', body: '{}', headers: new Headers(headers) }
      await idem.exchange({ dialect, request, send, client: { ignoreHeaders } })
    }
    expect(send).toHaveBeenCalledTimes(1)
  })

  test.each(['x-user-id', [1], ['x user'], ['x-*'], ['x-user\n'], [''], null, { a: 1 }])(
    'are refused before anything is sent where they are no names: %j',
    async (names) => {
      for (const name of ['ignoreHeaders', 'scopeHeaders']) {
        expect(() => createIdem({ [name]: names } as IdemOptions)).toThrow(
          expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT', message: expect.stringContaining(name) }),
        )
        expect(await callsFor([visible], { [name]: names } as CallOptions)).toBe(0)
      }
    },
  )
})
