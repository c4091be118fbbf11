import { beforeAll, describe, expect, test } from 'vitest'
import { createIdem } from '../src/index.js'
import { bodies, type Call, calls, post } from './fetch-calls.js'
import { aiDialect, bytes, oneScope, streamOf, useEchoServer } from './fetch-tools.js'

type Fetch = (input: never, init?: never) => Promise<Response>

const context = useEchoServer()
const newIdem = () => createIdem({ dialects: [aiDialect], logger: { warn() {} }, policy: oneScope })

/** Where a call goes: through idem untouched, or shared. */
const ways = ['passed', 'shared'] as const
const baseOf = (way: (typeof ways)[number]) => `${context.server.url}/${way === 'shared' ? 'ai' : 'other'}`

/** Every difference between a shared call and one of the platform's fetch; `docs/fetch.md` has the reasons. */
const DIFFERENCES = {
  headersAdded: ['cache-status'],
  headersGone: ['connection', 'content-encoding', 'content-length', 'keep-alive', 'transfer-encoding'],
  /** The body of a Request is read before it is sent, so that its length is known. */
  framing: ['content-length', 'transfer-encoding'],
}

/** Everything a caller can see of one call, and everything the server received. */
async function seen(fetch: Fetch, call: Call, base: string) {
  context.server.received.splice(0)
  const args = call(base)
  const outcome = await outcomeOf(() => fetch(...(args as [never, never])))
  const used = args.map((one) => one instanceof Request && one.bodyUsed)
  return { outcome, used, received: [...context.server.received] }
}

async function outcomeOf(call: () => Promise<Response>) {
  try {
    const response = await call()
    const copy = response.clone()
    const { status, statusText, url, redirected, type, ok, body } = response
    const told = { status, statusText, url, redirected, type, ok, hasBody: body !== null }
    const copied = {
      status: copy.status,
      statusText: copy.statusText,
      url: copy.url,
      redirected: copy.redirected,
      type: copy.type,
      ok: copy.ok,
      hasBody: copy.body !== null,
    }
    expect(copied).toEqual(told)
    expect(response).toBeInstanceOf(Response)
    return { told, headers: [...response.headers], text: await response.text(), copy: await copy.text() }
  } catch (error) {
    const { name, message, cause } = error as Error
    return { thrown: error instanceof Error ? { name, message, cause: String(cause) } : error }
  }
}

type Seen = Awaited<ReturnType<typeof seen>>

/** The known differences removed. Where the platform knows the length of a body, that counts, too. */
function comparable({ outcome, received, ...rest }: Seen, isChunked: boolean): unknown {
  const known = [...DIFFERENCES.headersAdded, ...DIFFERENCES.headersGone]
  const headers = outcome.headers?.filter(([name]) => !known.includes(name))
  const unframed = received.map((one) => {
    const names = Object.keys(one.headers).filter((name) => !DIFFERENCES.framing.includes(name))
    return { ...one, headers: Object.fromEntries(names.map((name) => [name, one.headers[name]])) }
  })
  return { ...rest, outcome: { ...outcome, headers }, received: isChunked ? unframed : received }
}

async function compare(way: (typeof ways)[number], call: Call): Promise<Seen> {
  const idem = newIdem()
  const platform = await seen(fetch as Fetch, call, baseOf(way))
  const ours = await seen(idem.fetch as Fetch, call, baseOf(way))
  if (way === 'passed') expect(ours).toEqual(platform)
  else {
    const isChunked = platform.received.some(({ headers }) => 'transfer-encoding' in headers)
    expect(comparable(ours, isChunked)).toEqual(comparable(platform, isChunked))
  }
  return ours
}

describe.each(ways)('a call that is %s', (way) => {
  test.each(Object.keys(calls))('is as through the platform’s fetch with %s', async (name) => {
    await compare(way, calls[name]!)
  })

  test.each(Object.keys(bodies))('sends what the platform sends with a body that is %s', async (name) => {
    const bare = (base: string) => [`${base}/echo`, { method: 'POST', body: bodies[name]!(), duplex: 'half' }]
    const ours = await compare(way, bare)
    if ('told' in ours.outcome) expect(ours.received).toHaveLength(1)
    await compare(way, (base) => [`${base}/echo`, { ...post, body: bodies[name]!(), duplex: 'half' }])
  })

  test('sends a form as the platform does, but for its boundary', async () => {
    const form = new FormData()
    form.set('prompt', 'x')
    await newIdem().fetch(`${baseOf(way)}/echo`, { method: 'POST', body: form })
    expect(context.server.received[0]!.headers['content-type']).toContain('multipart/form-data; boundary=')
    expect(context.server.received[0]!.body).toContain('name="prompt"')
  })

  const statuses = [
    200, 201, 202, 203, 204, 205, 206, 300, 304, 400, 401, 404, 418, 429, 451, 500, 502, 529, 599,
  ]
  test.each([...statuses, 600, 999])('is answered as the provider answered, status %i', async (status) => {
    const ours = await compare(way, (base) => [`${base}/status/${status}`, post])
    expect(ours.outcome.told).toMatchObject({ status, statusText: `Reason ${status}` })
  })

  test.each(['gzip', 'br'])('reads %s', async (encoding) => {
    const ours = await compare(way, (base) => [`${base}/${encoding}`, post])
    expect(ours.outcome.text).toContain(`"what":"${encoding}"`)
  })

  const redirects = [301, 302, 303, 307, 308].flatMap((status) =>
    (['follow', 'manual', 'error'] as const).map((redirect) => [status, redirect] as const),
  )
  test.each(redirects)(
    'meets a redirect %i with redirect: %s as the platform does',
    async (status, redirect) => {
      const ours = await compare(way, (base) => [`${base}/redirect/${status}`, { ...post, redirect }])
      if (redirect === 'follow') {
        expect(ours.outcome.told).toMatchObject({
          redirected: true,
          url: `${baseOf(way)}/echo?signature=s3`,
        })
      }
      await compare(way, (base) => [new Request(`${base}/redirect/${status}`, { ...post, redirect })])
    },
  )

  test('fails as the platform fails when the connection breaks', async () => {
    const { outcome } = await compare(way, (base) => [`${base}/reset`, post])
    expect(outcome.thrown).toMatchObject({ name: 'TypeError', message: 'fetch failed' })
  })

  test.each([
    ['with a reason', new Error('mine')],
    ['with a text as its reason', 'enough'],
    ['without a reason', undefined],
  ])('that was aborted before, %s, sends nothing and rejects with the reason', async (_, reason) => {
    const aborted = (base: string) => [`${base}/echo`, { ...post, signal: AbortSignal.abort(reason) }]
    expect((await compare(way, aborted)).received).toEqual([])
    const own = (base: string) => [
      new Request(`${base}/echo`, { ...post, signal: AbortSignal.abort(reason) }),
    ]
    expect((await compare(way, own)).received).toEqual([])
    // Errors in the arguments are reported first.
    await compare(way, (base) => [`${base}/echo`, { ...post, mode: 'x', signal: AbortSignal.abort(reason) }])
  })

  test('that is aborted before its headers rejects with the reason', async () => {
    const leave = async (fetch: Fetch) => {
      const leaver = new AbortController()
      const arrived = context.server.arrival()
      const call = fetch(`${baseOf(way)}/no-headers` as never, { ...post, signal: leaver.signal } as never)
      await arrived
      leaver.abort(new Error('mine'))
      return outcomeOf(() => call)
    }
    const ours = await leave(newIdem().fetch as Fetch)
    expect(ours).toEqual(await leave(fetch as Fetch))
    expect(ours.thrown).toMatchObject({ message: 'mine' })
  })
})

describe('what is otherwise than with the platform’s fetch', () => {
  test('headers of one connection or of an encoding are gone, and Cache-Status is there', async () => {
    for (const path of ['echo', 'gzip', 'status/500']) {
      const call = (base: string) => [`${base}/${path}`, post]
      const platform = await seen(fetch as Fetch, call, baseOf('shared'))
      const ours = await seen(newIdem().fetch as Fetch, call, baseOf('shared'))
      const [theirs, mine] = [platform, ours].map(({ outcome }) => outcome.headers!.map(([name]) => name))
      const gone = theirs!.filter((name) => !mine!.includes(name))
      expect(gone.length).toBeGreaterThan(0)
      expect(DIFFERENCES.headersGone).toEqual(expect.arrayContaining(gone))
      expect(mine!.filter((name) => !theirs!.includes(name))).toEqual(DIFFERENCES.headersAdded)
    }
  })

  test('the body of a Request is sent with its length', async () => {
    const call: Call = (base) => [
      new Request(`${base}/echo`, { ...post, body: streamOf(bytes()), duplex: 'half' } as never),
    ]
    const [platform] = (await seen(fetch as Fetch, call, baseOf('shared'))).received
    const [ours] = (await seen(newIdem().fetch as Fetch, call, baseOf('shared'))).received
    expect(platform!.headers).toMatchObject({ 'transfer-encoding': 'chunked' })
    expect(ours!.headers).toMatchObject({ 'content-length': String(bytes().byteLength) })
    const plain = await seen(newIdem().fetch as Fetch, (base) => [`${base}/echo`, post], baseOf('shared'))
    expect(plain.received[0]!.headers).toEqual(ours!.headers)
  })

  test('headers can be changed', async () => {
    const call = [`${baseOf('shared')}/echo`, post] as const
    expect(() => fetchedHeaders.set('a', 'b')).toThrow(TypeError)
    const { headers } = await newIdem().fetch(...call)
    expect(() => headers.set('a', 'b')).not.toThrow()
  })
  let fetchedHeaders: Headers
  beforeAll(async () => {
    fetchedHeaders = (await fetch(`${context.server.url}/other/echo`)).headers
  })

  test('a connection that breaks in the body rejects the call', async () => {
    const begun = await fetch(`${baseOf('passed')}/cut`, post)
    await expect(begun.text()).rejects.toThrow(new TypeError('terminated'))
    const passed = await newIdem().fetch(`${baseOf('passed')}/cut`, post)
    await expect(passed.text()).rejects.toThrow(new TypeError('terminated'))
    await expect(newIdem().fetch(`${baseOf('shared')}/cut`, post)).rejects.toThrow(
      new TypeError('terminated'),
    )
  })

  test('an answer that is not a stream comes when all of it is there: an abort meanwhile rejects the call', async () => {
    const leave = async (way: (typeof ways)[number], fetch: Fetch) => {
      const leaver = new AbortController()
      const arrived = context.server.arrival()
      const call = fetch(`${baseOf(way)}/half` as never, { ...post, signal: leaver.signal } as never)
      await arrived
      const begun = way === 'passed' ? await call : undefined
      const reading = begun?.text() ?? call
      leaver.abort(new Error('mine'))
      await expect(reading).rejects.toThrow('mine')
    }
    await leave('passed', fetch as Fetch)
    await leave('passed', newIdem().fetch as Fetch)
    await leave('shared', newIdem().fetch as Fetch)
  })
})
