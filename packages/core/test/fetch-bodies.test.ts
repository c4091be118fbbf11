import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes, fetchingIdem, json, post, streamOf, useEchoServer } from './fetch-tools.js'

const context = useEchoServer()
const urlOf = (path = 'ai/echo') => `${context.server.url}/${path}`

describe('a body that cannot be compared', () => {
  const latin1 = () => Buffer.from(json, 'latin1')

  test.each<[string, () => unknown, string]>([
    ['a stream', () => streamOf(bytes()), 'stream'],
    [
      'an iterable',
      () =>
        (async function* () {
          yield bytes()
        })(),
      'stream',
    ],
    ['a form', () => new FormData(), 'FormData'],
    ['bytes that are not UTF-8', latin1, 'UTF-8'],
    ['a Blob that is not UTF-8', () => new Blob([latin1()]), 'UTF-8'],
    ['a text with a byte order mark', () => `\ufeff${json}`, 'byte order mark'],
    ['bytes with a byte order mark', () => Buffer.from(`\ufeff${json}`), 'byte order mark'],
  ])('such as %s is sent as it is, counted as bypassed, and told once', async (_, body, reason) => {
    const { idem, ask, warnings } = fetchingIdem()
    const calls: unknown[] = []
    idem.on('call', (call) => calls.push(call))
    const init = () => ({ method: 'POST', body: body(), duplex: 'half' })
    const sent = await sentBy(urlOf(), init())
    await Promise.all([ask(urlOf(), init()), ask(urlOf(), init())])
    expect(context.server.received.map(withoutBoundary)).toEqual([sent, sent])
    expect(idem.stats()).toMatchObject({ requests: 2, bypassed: 2 })
    expect(calls).toEqual(Array(2).fill({ door: 'toy', outcome: 'bypassed', isRetry: false }))
    expect(warnings).toEqual([expect.stringContaining(reason)])
    expect(warnings[0]).toContain('NOT shared')
    await ask(urlOf(), { ...init(), idem: { bypass: true } })
    expect(context.server.received).toHaveLength(3)
  })

  test('in a Request, since it is not UTF-8, is sent as it is', async () => {
    const { idem, ask, warnings } = fetchingIdem()
    for (let call = 0; call < 2; call++) await ask(new Request(urlOf(), { ...post, body: latin1() }))
    expect(context.server.received.map(({ body }) => body)).toEqual([json, json])
    expect(idem.stats()).toMatchObject({ bypassed: 2 })
    expect(warnings).toHaveLength(1)
  })

  test('is never taken for another one: any bytes are shared with the same bytes alone', async () => {
    const inString = fc.uint8Array({ minLength: 1, maxLength: 4 })
    const quoted = (inner: Uint8Array) => Buffer.concat([Buffer.from('{"a":"'), inner, Buffer.from('"}')])
    await fc.assert(
      fc.asyncProperty(inString, inString, async (one, other) => {
        const { idem, ask } = fetchingIdem({ fetch: async () => Response.json({}) })
        await ask(urlOf(), { method: 'POST', body: quoted(one) })
        await ask(urlOf(), { method: 'POST', body: quoted(other) })
        if (Buffer.compare(one, other) !== 0 && !isSameText(quoted(one), quoted(other))) {
          expect(idem.stats().hits).toBe(0)
        }
      }),
    )
  })

  test('is not told of where its caller asked for a call of its own', async () => {
    const { ask, warnings, idem } = fetchingIdem()
    await ask(urlOf(), { ...post, body: latin1(), idem: { bypass: true } })
    await ask(urlOf(), { ...post, unheardOf: () => {}, idem: { bypass: true } })
    expect(warnings).toEqual([])
    expect(idem.stats()).toMatchObject({ bypassed: 2 })
  })

  test('is refused with wrong options, and by an idem that is closed, before anything is sent', async () => {
    const { idem, ask } = fetchingIdem()
    const wrong = await ask(urlOf(), { ...post, body: latin1(), idem: { tll: 5 } })
    expect(wrong.response.status).toBe(400)
    await idem.close()
    const closed = await ask(urlOf(), { ...post, body: latin1() })
    expect(JSON.parse(closed.text)).toMatchObject({ code: 'IDEM_CLOSED' })
    expect(context.server.received).toEqual([])
  })

  test('is passed through, and not counted, where its URL is of no dialect', async () => {
    const { idem, ask, warnings } = fetchingIdem()
    await ask(urlOf('other/echo'), { method: 'POST', body: streamOf(bytes()), duplex: 'half' })
    expect(idem.stats()).toMatchObject({ requests: 0 })
    expect(warnings).toEqual([])
  })
})

/** What the platform's fetch sends. */
async function sentBy(...args: readonly unknown[]) {
  await fetch(...(args as [string]))
  return withoutBoundary(context.server.received.splice(0)[0]!)
}

function withoutBoundary<T extends { headers: object; body: string }>(one: T): T {
  return JSON.parse(JSON.stringify(one).replaceAll(/-{4,}formdata-[\w-]+/g, 'boundary'))
}

/** Whether two texts mean the same JSON, as with escapes. */
function isSameText(one: Uint8Array, other: Uint8Array): boolean {
  const parse = (bytes: Uint8Array) => {
    try {
      return JSON.stringify(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    } catch {
      return bytes
    }
  }
  return parse(one) === parse(other)
}
