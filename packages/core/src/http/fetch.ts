import type { CallOptions } from './call-options.js'
import type { HttpRequest } from './dialect.js'
import type { HttpDoor } from './door.js'
import { exchange } from './exchange.js'

/** What `idem.fetch` takes: what `fetch` takes, and what idem is to do with this call. Never sent. */
export interface IdemRequestInit extends RequestInit {
  readonly idem?: CallOptions
}

/**
 * A `fetch` that shares the requests of the given dialects. A POST with a text or bytes body can be one; everything
 * else goes to the platform's fetch as it is.
 */
export function idemFetch(door: HttpDoor) {
  return async (input: string | URL | Request, init: IdemRequestInit = {}): Promise<Response> => {
    const { idem, ...rest } = init
    const body = rest.body instanceof Uint8Array ? new Uint8Array(rest.body) : rest.body
    const request = asRequest(input, { ...rest, body })
    const dialect = request && door.settings.dialects.find((one) => one.matches(request))
    if (!request || !dialect) return fetch(input, rest)
    return exchange(door, {
      dialect,
      request,
      options: idem,
      // As it was when the key was made of it: bytes and headers may change in the hands of the caller.
      send: ({ signal, headers }) => fetch(request.url, { ...rest, headers, body, signal: signal ?? null }),
    })
  }
}

function asRequest(input: string | URL | Request, init: RequestInit): HttpRequest | undefined {
  const { method = 'GET', body, headers, signal = null } = init
  if (input instanceof Request || method.toUpperCase() !== 'POST') return undefined
  const isText = typeof body === 'string'
  if (!isText && !(body instanceof Uint8Array)) return undefined
  const text = isText ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  return { url: String(input), method: 'POST', headers: new Headers(headers), body: text, signal }
}
