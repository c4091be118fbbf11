import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Dialect } from '../src/dialect.js'
import { type CallOptions, createIdem, type Idem, type IdemOptions, memoryStore } from '../src/index.js'
import { EchoServer, HEADERS } from './echo-server.js'
import { oneScope } from './fetch-tools.js'
import { toyDialect } from './toy-dialect.js'

/** Every header that others are given; `docs/fetch.md` has the reasons. */
const DESCRIBE_THE_ANSWER = [
  'content-type',
  'content-language',
  'location',
  'request-id',
  'x-request-id',
  'apim-request-id',
  'x-amzn-requestid',
  'openai-model',
  'openai-version',
  'openai-processing-ms',
  'anthropic-version',
]
const ON_ERRORS = ['retry-after', 'retry-after-ms', 'x-should-retry']
const OF_ONE_HOP = ['connection', 'content-encoding', 'content-length', 'keep-alive', 'transfer-encoding']

/** Headers that once were given to others, or that look as if they could be. */
const OF_ONE_CALLER = [
  'anthropic-organization-id',
  'openai-organization',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-tokens',
  'anthropic-ratelimit-tokens-remaining',
  'set-cookie',
  'date',
  'retry-after',
  'x-user-id',
  'cf-ray',
  'server',
  'via',
  'content-location',
  'www-authenticate',
  'x-request-id-of-mine',
]

type Outcome = 'executed' | 'collapsed' | 'replayed'

/** What a response says of itself. */
function outcomeOf(response: Response): Outcome {
  const said = response.headers.get('cache-status') ?? ''
  if (said.includes('; hit')) return 'replayed'
  return said.includes('collapsed') ? 'collapsed' : 'executed'
}

/**
 * The answers of one request to everybody: the caller that pays, one that waits in its process, one that waits in
 * another, and one that comes later.
 */
async function everybody(
  answer: () => Response | Promise<Response>,
  { body = '{}', idem = {}, options }: { body?: string; idem?: IdemOptions; options?: CallOptions } = {},
) {
  const store = memoryStore()
  const [here, elsewhere] = [0, 1].map(() => createIdem({ store, logger: silent, ...idem }))
  const send = vi.fn(async () => answer())
  const ask = (idem: Idem) => {
    const request = {
      url: 'http://toy/path?q=1#part',
      method: 'POST',
      headers: new Headers({ authorization: 'key' }),
      body,
    }
    return idem.exchange({ dialect: toyDialect, request, send, options })
  }
  const waiting = await Promise.all([ask(here!), ask(here!), ask(elsewhere!)])
  const first = waiting.find((response) => outcomeOf(response) === 'executed')!
  const others = waiting.filter((response) => response !== first)
  expect(others.map(outcomeOf)).toEqual(['collapsed', 'collapsed'])
  return { first, others, send, later: () => ask(here!) }
}

const silent = { warn() {} }

const namesOf = ({ headers }: Response) => [...new Set(headers.keys())]
const added = ['cache-status', 'age']

describe('headers of an answer', () => {
  const names = fc.oneof(
    fc.constantFrom(...OF_ONE_CALLER),
    fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
    fc.constantFrom(...DESCRIBE_THE_ANSWER).map((name) => `${name}s`),
    fc.constantFrom(...DESCRIBE_THE_ANSWER).map((name) => `x-${name}`),
  )

  test('that are not known to describe it never reach another caller, be they whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(names, { maxLength: 8 }), fc.boolean(), async (sent, isStream) => {
        const headers = Object.fromEntries(sent.map((name) => [name, '1']))
        const type = { 'content-type': isStream ? 'text/event-stream' : 'application/json' }
        const answer = () => new Response(isStream ? 'abc.' : '{}', { headers: { ...headers, ...type } })
        const body = isStream ? '{"stream":true}' : '{}'
        const { first, others, later, send } = await everybody(answer, { body })
        await Promise.all([first, ...others].map((response) => response.text()))
        const known = [...DESCRIBE_THE_ANSWER, ...added]
        for (const response of [...others, await later()]) {
          expect(known).toEqual(expect.arrayContaining(namesOf(response)))
        }
        expect(namesOf(first)).toEqual(
          expect.arrayContaining(sent.filter((name) => !OF_ONE_HOP.includes(name))),
        )
        expect(send).toHaveBeenCalledTimes(1)
      }),
      { numRuns: 60 },
    )
  })

  test('that describe it reach everybody', async () => {
    const sent = Object.fromEntries(DESCRIBE_THE_ANSWER.map((name) => [name, `the ${name}`]))
    const { first, others, later } = await everybody(() => new Response('{}', { headers: sent }))
    for (const response of [first, ...others, await later()]) {
      for (const [name, value] of Object.entries(sent)) expect(response.headers.get(name)).toBe(value)
    }
  })

  test.each([400, 429, 500, 529, 302])(
    'say when to try again on a %i, to those who wait for it',
    async (status) => {
      const sent = Object.fromEntries([...ON_ERRORS, ...OF_ONE_CALLER].map((name) => [name, '1']))
      const { others } = await everybody(() => new Response('{}', { status, headers: sent }))
      for (const response of others)
        expect(namesOf(response).sort()).toEqual(['cache-status', 'content-type', ...ON_ERRORS].sort())
    },
  )

  test('say nothing of trying again on a 200', async () => {
    const sent = Object.fromEntries(ON_ERRORS.map((name) => [name, '1']))
    const { first, others, later } = await everybody(() => new Response('{}', { headers: sent }))
    for (const response of [...others, await later()]) {
      for (const name of ON_ERRORS) expect(response.headers.has(name)).toBe(false)
    }
    expect(namesOf(first)).toEqual(expect.arrayContaining(ON_ERRORS))
  })

  test('that name one hop or an encoding reach nobody', async () => {
    const sent = Object.fromEntries(OF_ONE_HOP.map((name) => [name, '1']))
    const { first, others } = await everybody(() => new Response('{}', { headers: sent }))
    for (const response of [first, ...others]) {
      for (const name of OF_ONE_HOP) expect(response.headers.has(name)).toBe(false)
    }
  })
})

describe('keepHeaders', () => {
  const answer = () =>
    new Response('{}', { headers: { 'X-Generation-Id': 'gen', 'x-user-id': 'u', 'set-cookie': 'a=b' } })

  test.each<[string, IdemOptions, CallOptions?]>([
    ['of the idem', { keepHeaders: ['x-generation-id'] }],
    ['of the policy', { policy: () => ({ keepHeaders: ['X-GENERATION-ID'] }) }],
    ['of the call', { keepHeaders: ['other'] }, { keepHeaders: ['x-Generation-Id'] }],
  ])('%s gives others the headers it names, and no more', async (_, idem, options) => {
    const { others, later } = await everybody(answer, { idem, options })
    for (const response of [...others, await later()]) {
      expect(response.headers.get('x-generation-id')).toBe('gen')
      expect(response.headers.has('x-user-id')).toBe(false)
      expect(response.headers.has('set-cookie')).toBe(false)
    }
  })

  test('of the client gives them to the client’s calls, and a call without it is not given them', async () => {
    const idem = createIdem({ logger: silent })
    const request = {
      url: 'http://toy/',
      method: 'POST',
      headers: new Headers({ authorization: 'key' }),
      body: '{}',
    }
    const ask = (client = {}) =>
      idem.exchange({ dialect: toyDialect, request, send: async () => answer(), client })
    const client = { keepHeaders: ['x-generation-id'] }
    await ask(client)
    expect((await ask(client)).headers.get('x-generation-id')).toBe('gen')
    expect((await ask()).headers.has('x-generation-id')).toBe(false)
  })

  test.each([
    ['a text', 'x-a'],
    ['no name', ['']],
    ['a name with a space', ['a b']],
    ['a name with a line break', ['a\nb']],
    ['a name that is not ASCII', ['größe']],
    ['a number', [7]],
    ['a hole', new Array(1)],
    ['a cookie', ['x-a', 'Set-Cookie']],
    ['an old cookie', ['set-cookie2']],
    ['a header of one hop', ['Transfer-Encoding']],
    ['a header of an encoding', ['content-encoding']],
    ['null', null],
  ])('that is %s is refused before any call', async (_, keepHeaders) => {
    const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })
    expect(() => createIdem({ keepHeaders: keepHeaders as never })).toThrow(invalid)
    const { send, first } = await refused(keepHeaders)
    expect(first.status).toBe(400)
    expect(send).not.toHaveBeenCalled()
  })

  async function refused(keepHeaders: unknown) {
    const send = vi.fn(async () => answer())
    const request = {
      url: 'http://toy/',
      method: 'POST',
      headers: new Headers({ authorization: 'key' }),
      body: '{}',
    }
    const options = { keepHeaders } as never
    const first = await createIdem().exchange({ dialect: toyDialect, request, send, options })
    return { first, send }
  }
})

describe('a response', () => {
  let server: EchoServer
  beforeAll(async () => {
    server = await new EchoServer().start()
  })
  beforeEach(() => void server.received.splice(0))
  afterAll(() => server.stop())

  const dialect: Dialect = { ...toyDialect, identify: (body) => toyDialect.identify(body) }

  /** The same call by everybody, over real HTTP. */
  async function fetched(path: string, { body = '{}', ...init }: RequestInit = {}) {
    const store = memoryStore()
    const [here, elsewhere] = [0, 1].map(() =>
      createIdem({ store, dialects: [dialect], logger: silent, policy: oneScope }),
    )
    const url = `${server.url}/ai/${path}`
    const ask = (idem: Idem) => idem.fetch(`${url}#part`, { method: 'POST', body, ...init })
    const waiting = await Promise.all([ask(here!), ask(here!), ask(elsewhere!)])
    const texts = await Promise.all(waiting.map((response) => response.clone().text()))
    expect(new Set(texts).size).toBe(1)
    expect(waiting.map(outcomeOf).sort()).toEqual(['collapsed', 'collapsed', 'executed'])
    const first = waiting.find((response) => outcomeOf(response) === 'executed')!
    const platform = await fetch(url, { method: 'POST', body, ...init })
    const [, key = ''] = /key="([\w-]+)"/.exec(first.headers.get('cache-status') ?? '') ?? []
    const found = await store.read(key)
    const record = found.state === 'completed' ? Buffer.from(found.record.bytes).toString() : ''
    return { url, platform, first, waiting, record, later: () => ask(elsewhere!) }
  }

  const told = (response: Response) => {
    const { status, statusText, url, redirected, type, ok } = response
    return { status, statusText, url, redirected, type, ok }
  }

  test.each([
    ['echo', '{}', true],
    ['status/201', '{}', true],
    ['status/502', '{}', false],
    ['status/429', '{}', false],
    ['status/204', '{}', false],
    ['stream', '{"stream":true}', true],
  ])(
    'of %s says what the provider said, to everybody, and so do its clones',
    async (path, body, isStored) => {
      const { platform, waiting, later } = await fetched(path, { body })
      const all = isStored ? [...waiting, await later()] : waiting
      if (isStored) expect(outcomeOf(all.at(-1)!)).toBe('replayed')
      for (const response of all) {
        expect(told(response)).toEqual(told(platform))
        expect(told(response.clone())).toEqual(told(platform))
        expect(told(response.clone().clone())).toEqual(told(platform))
        expect(Object.keys(response)).toEqual(Object.keys(platform))
      }
    },
  )

  test('to a stream that is asked for as a whole, or the other way round, is of the same provider', async () => {
    const idem = createIdem({ dialects: [dialect], logger: silent, policy: oneScope })
    const ask = (path: string, body: string) =>
      idem.fetch(`${server.url}/ai/${path}`, { method: 'POST', body })
    const stream = await ask('stream', '{"stream":true}')
    await stream.text()
    const whole = await ask('stream', '{"stream":false}')
    expect(told(whole)).toEqual(told(stream))
    expect(whole.headers.get('content-type')).toBe('application/json')
    expect(server.received).toHaveLength(1)
  })

  test('to the caller whose own call came in another form has its headers and the type of that form', async () => {
    const idem = createIdem({ dialects: [dialect], logger: silent, policy: oneScope })
    const response = await idem.fetch(`${server.url}/ai/stream`, { method: 'POST', body: '{}' })
    expect(await response.json()).toEqual({ letters: 'abc' })
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('x-private')).toBe('mine')
    expect(response.headers.getSetCookie()).toEqual(HEADERS['set-cookie'])
  })

  test('of a redirect tells its caller the whole URL, and others no more than where it leads', async () => {
    const { url, platform, first, waiting, record, later } = await fetched('redirect/307')
    expect(first.url).toBe(platform.url)
    const final = new URL('../echo', url).href
    for (const response of [...waiting.filter((one) => one !== first), await later()]) {
      expect(told(response)).toEqual({ ...told(platform), url: final })
    }
    expect(record).toContain(final)
    expect(record).not.toContain('s3')
  })

  test('leaves in the store nothing that tells of its caller', async () => {
    const { record } = await fetched('echo')
    expect(record).toContain('req_1')
    for (const secret of ['org_1', 'a=1', 'mine', 'ratelimit', 'retry-after', 'GMT']) {
      expect(record).not.toContain(secret)
    }
  })

  test('that is aborted while it streams fails with the caller’s reason', async () => {
    const idem = createIdem({ dialects: [dialect], logger: silent, policy: oneScope })
    const leaver = new AbortController()
    const url = `${server.url}/ai/half-stream`
    const response = await idem.fetch(url, { method: 'POST', body: '{"stream":true}', signal: leaver.signal })
    const reader = response.body!.getReader()
    await reader.read()
    const reading = reader.read()
    leaver.abort(new Error('mine'))
    await expect(reading).rejects.toThrow('mine')
  })
})
