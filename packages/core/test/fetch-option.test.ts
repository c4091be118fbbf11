import { afterEach, describe, expect, test, vi } from 'vitest'
import { createIdem } from '../src/index.js'
import { fetchingIdem, headers, json, post, useEchoServer } from './fetch-tools.js'

const context = useEchoServer()
const urlOf = (path = 'ai/echo') => `${context.server.url}/${path}`

describe('the fetch of createIdem', () => {
  const platform = globalThis.fetch
  afterEach(() => {
    globalThis.fetch = platform
  })

  test('is what idem.fetch calls, with what it was given and without idem', async () => {
    const below = vi.fn(async () => Response.json({}))
    const { ask } = fetchingIdem({ fetch: below })
    await ask(urlOf(), { ...post, idem: { ttl: 'chat' }, redirect: 'manual' })
    expect(below.mock.lastCall).toEqual([
      urlOf(),
      {
        method: 'POST',
        headers: new Headers(headers),
        body: json,
        redirect: 'manual',
        signal: expect.any(AbortSignal),
      },
    ])
    const elsewhere = [urlOf('other'), post]
    await ask(...elsewhere)
    expect(below.mock.lastCall).toEqual(elsewhere)
    expect((below.mock.lastCall as unknown[])[1]).toBe(post)
    await ask(elsewhere[0], { ...post, idem: { bypass: true } })
    expect(below.mock.lastCall).toEqual(elsewhere)
  })

  test('is the platform’s by default, as it is at each call', async () => {
    const { ask } = fetchingIdem()
    const later = vi.fn(async () => Response.json({ from: 'later' }))
    globalThis.fetch = later
    expect((await ask(urlOf(), post)).text).toBe('{"from":"later"}')
    expect(later).toHaveBeenCalledTimes(1)
  })

  test('is not an idem.fetch: one would call the other, or itself', async () => {
    const { idem, ask } = fetchingIdem()
    const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })
    expect(() => createIdem({ fetch: idem.fetch as typeof fetch })).toThrow(invalid)
    globalThis.fetch = idem.fetch as typeof fetch
    await expect(ask(urlOf('other'))).rejects.toThrow(invalid)
    await expect(ask(urlOf(), post)).rejects.toThrow(invalid)
    expect(context.server.received).toEqual([])
  })

  test.each([null, 'fetch', {}, true])('that is %j is refused', (one) => {
    expect(() => createIdem({ fetch: one as never })).toThrow(
      expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' }),
    )
  })

  test('may be of another make: its Requests go to it, counted and told', async () => {
    class Request {
      readonly url = urlOf()
      readonly method = 'POST'
      readonly headers = new Headers()
      readonly [Symbol.toStringTag] = 'Request'
    }
    const below = vi.fn(async () => Response.json({}))
    const { idem, ask, warnings } = fetchingIdem({ fetch: below })
    const request = new Request()
    await ask(request)
    expect(below.mock.lastCall).toEqual([request, undefined])
    expect(idem.stats()).toMatchObject({ bypassed: 1 })
    expect(warnings).toEqual([expect.stringContaining('NOT shared')])
  })
})
