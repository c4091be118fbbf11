import { describe, expect, test, vi } from 'vitest'
import { bytes, fetchingIdem, headers, json, post, streamOf, useEchoServer } from './fetch-tools.js'

const context = useEchoServer()
const urlOf = (path = 'ai/echo') => `${context.server.url}/${path}`

describe('one request', () => {
  const writings: Record<string, () => readonly unknown[]> = {
    'a string': () => [urlOf(), post],
    'a URL': () => [new URL(urlOf()), post],
    'a frozen init': () => [urlOf(), Object.freeze({ ...post, headers: Object.freeze({ ...headers }) })],
    'an init that inherits': () => [urlOf(), Object.create(post)],
    'a method in small letters': () => [urlOf(), { ...post, method: 'post' }],
    'a text object': () => [urlOf(), { ...post, body: new String(json) }],
    bytes: () => [urlOf(), { ...post, body: bytes() }],
    'a part of bytes': () => [urlOf(), { ...post, body: Buffer.from(`xx${json}`).subarray(2) }],
    'an ArrayBuffer': () => [urlOf(), { ...post, body: bytes().buffer }],
    'a DataView': () => [urlOf(), { ...post, body: new DataView(bytes().buffer) }],
    'a Blob': () => [urlOf(), { ...post, body: new Blob([json]) }],
    'a Request': () => [new Request(urlOf(), post)],
    'a Request with bytes': () => [new Request(urlOf(), { ...post, body: bytes() })],
    'a Request with a stream': () => [
      new Request(urlOf(), { ...post, body: streamOf(bytes()), duplex: 'half' } as never),
    ],
    'a Request and an init': () => [new Request(urlOf(), { ...post, body: '{}' }), { body: json }],
    'a Request as init': () => [urlOf(), new Request('http://elsewhere/', post)],
    'members that say nothing': () => [
      urlOf(),
      {
        ...post,
        redirect: 'follow',
        mode: 'cors',
        credentials: 'same-origin',
        cache: 'default',
        referrer: 'about:client',
        referrerPolicy: '',
        integrity: '',
        signal: null,
        unheardOf: undefined,
      },
    ],
    'members that say how it travels': () => [
      urlOf(),
      { ...post, duplex: 'half', keepalive: true, priority: 'high', window: null, dispatcher: undefined },
    ],
    'idem without options': () => [urlOf(), { ...post, idem: {} }],
  }

  test('is one call, however it is written', async () => {
    const { idem, ask, warnings } = fetchingIdem()
    const texts = await Promise.all(Object.values(writings).map(async (args) => (await ask(...args())).text))
    for (const args of Object.values(writings)) texts.push((await ask(...args())).text)
    expect(new Set(texts)).toEqual(new Set(['{"what":"echo","length":20}']))
    expect(context.server.received).toHaveLength(1)
    expect(context.server.received[0]!.body).toBe(Buffer.from(json).toString('latin1'))
    const all = 2 * Object.keys(writings).length
    expect(idem.stats()).toMatchObject({ requests: all, executed: 1, hits: all - 1, bypassed: 0 })
    expect(warnings).toEqual([])
  })

  test.each(Object.keys(writings))('written as %s shares with itself', async (name) => {
    const { idem, ask } = fetchingIdem()
    await ask(...writings[name]!())
    await ask(...writings[name]!())
    expect(context.server.received).toHaveLength(1)
    expect(idem.stats()).toMatchObject({ executed: 1, replayed: 1 })
  })

  test('from a Request is taken from it, as fetch takes it', async () => {
    const { ask } = fetchingIdem()
    const request = new Request(urlOf(), post)
    await ask(request)
    expect(request.bodyUsed).toBe(true)
    await expect(ask(request)).rejects.toThrow(TypeError)
  })

  test('from a Request goes by the dispatcher of that Request', async () => {
    const { ask } = fetchingIdem()
    const dispatch = vi.fn(() => {
      throw new Error('the dispatcher was asked')
    })
    const init = { ...post, dispatcher: { dispatch } } as never
    for (const args of [[new Request(urlOf(), init)], [urlOf(), init]]) {
      await expect(ask(...args)).rejects.toMatchObject({ cause: { message: 'the dispatcher was asked' } })
    }
    expect(dispatch).toHaveBeenCalledTimes(2)
    expect(context.server.received).toEqual([])
  })

  test('whose Request is aborted while its body is read ends with the reason, and the body with it', async () => {
    const { ask } = fetchingIdem()
    const cancelled = vi.fn()
    const leaver = new AbortController()
    const body = new ReadableStream({ cancel: cancelled })
    const request = new Request(urlOf(), { ...post, body, duplex: 'half', signal: leaver.signal } as never)
    const call = ask(request)
    leaver.abort(new Error('mine'))
    await expect(call).rejects.toThrow('mine')
    await vi.waitFor(() => expect(cancelled).toHaveBeenCalledTimes(1))
    expect(context.server.received).toEqual([])
  })
})
