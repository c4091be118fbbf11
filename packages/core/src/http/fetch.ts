import type { Dialect, HttpRequest } from '../dialect/dialect.js'
import { isRetryIn } from '../key/request-headers.js'
import { assertCallOptions, type CallOptions } from '../options/call-options.js'
import { asIdemFetch, fetchBelow } from '../options/platform-fetch.js'
import type { HttpDoor, Reason } from './door.js'
import { exchange } from './exchange.js'
import { bodyOf, bytesOf, isOneShot, NOT_UTF8, textOf } from './fetch-body.js'
import { type Members, membersOf, othersOf, readBy, requestOf, signalOf, tellingOf } from './fetch-init.js'
import { passOn } from './pass-on.js'

/** The init of `idem.fetch`: that of `fetch`, and what idem is to do with this call. `idem` is never sent. */
export interface IdemRequestInit extends RequestInit {
  readonly idem?: CallOptions
}

type Input = string | URL | Request
type Init = IdemRequestInit | null | undefined

/**
 * A `fetch` that shares the requests of the given dialects: a POST whose body can be read without using it up, or comes
 * in a Request. Everything else goes on to the platform's fetch as it came.
 */
export function idemFetch(door: HttpDoor) {
  return asIdemFetch(async (input: Input, init?: Init): Promise<Response> => {
    const fetch = fetchBelow(door.settings.fetch)
    const onward = () => fetch(input, withoutIdem(init))
    const dialect = dialectOf(door, input, init)
    if (!dialect) {
      if (door.settings.dialects.length === 0) warnUseless(door)
      else if (isObjectLike(init) && 'idem' in init && init.idem !== undefined) {
        assertCallOptions(init.idem, 'idem options')
        warnUnheard(door)
      }
      return onward()
    }

    const members = membersOf(init)
    const options = members.idem as CallOptions | undefined
    const reason = reasonNotToRead(input, init, members)
    if (reason) {
      const isRetry = isRetryIn(headersOf(input, members))
      return passOn(door, { dialect, options, isRetry, reason }, onward)
    }

    const request = requestOf(input, members)
    const signal = signalOf(input, members, request)
    const { url, method, headers } = request
    const telling = tellingOf(readBy(request, members))
    const read = typeof members.body === 'string' ? members.body : await bytesOf(request, signal)
    const body = bodyOf(read, { isFromRequest: members.body === undefined || init instanceof Request })
    const send = ({ headers, signal = null }: Pick<HttpRequest, 'headers' | 'signal'>) =>
      // A Request holds more than can be read from it, such as its dispatcher.
      fetch(input instanceof Request ? request : url, {
        ...othersOf(members),
        ...telling.init,
        method,
        headers,
        body,
        signal,
      })
    const text = textOf(read)
    if (text === undefined) {
      const isRetry = isRetryIn(headers)
      return passOn(door, { dialect, options, isRetry, reason: NOT_UTF8 }, () => send({ headers, signal }))
    }
    const shown = { url, method, headers, body: text, signal, init: telling.init }
    return exchange(door, { dialect, request: shown, opaque: telling.opaque, options, send })
  })
}

function warnUseless({ events }: HttpDoor): void {
  events.warn(
    'no-dialects',
    'idem.fetch is in use, but createIdem() was given no dialects: NOTHING that goes through it is shared. Pass ' +
      'dialects: [messagesDialect] of @idem/anthropic, or dialects: openaiDialects of @idem/openai.',
  )
}

function warnUnheard({ events }: HttpDoor): void {
  events.warn(
    'no-dialect-for-options',
    'A call of idem.fetch has idem options, and is a request of none of the dialects: it was passed on, and the options ' +
      'did nothing. Add the dialect of its API to createIdem({ dialects }), or leave the options out.',
  )
}

function withoutIdem(init: Init): RequestInit | undefined {
  if (!isObjectLike(init) || !('idem' in init)) return init as RequestInit | undefined
  const { idem: _, ...rest } = membersOf(init)
  return rest
}

/** The dialect of a request, by the URL and method that `fetch` will use. Nothing is used up by looking. */
function dialectOf({ settings }: HttpDoor, input: Input, init: Init): Dialect | undefined {
  // The platform reports what is wrong with it.
  if (!(init === null || init === undefined || isObjectLike(init))) return undefined
  const asked = isRequestLike(input) ? input : undefined
  const method = init?.method === undefined ? (asked?.method ?? 'GET') : String(init.method)
  const href = asked ? asked.url : String(input)
  if (method.toUpperCase() !== 'POST' || !URL.canParse(href)) return undefined
  const { href: url } = new URL(href)
  return settings.dialects.find((one) => one.matches({ method: 'POST', url }))
}

function isObjectLike(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** A Request of the platform, or of the package that the fetch below is from. */
function isRequestLike(input: Input): input is Request {
  return Object.prototype.toString.call(input) === '[object Request]'
}

/** The headers of a request that is passed on. An iterator is left to `fetch`, since it can be read only once. */
function headersOf(input: Input, { headers }: Members): Headers {
  if (typeof (headers as Partial<Iterator<unknown>> | undefined)?.next === 'function') return new Headers()
  const sent = headers ?? (isRequestLike(input) ? [...input.headers] : undefined)
  return new Headers(sent as RequestInit['headers'])
}

/** Why the body cannot be read, or not without taking it from the call. */
function reasonNotToRead(input: Input, init: Init, { body }: Members): Reason | undefined {
  if (isRequestLike(input) && !(input instanceof Request)) return FOREIGN
  return isOneShot(body) && !(init instanceof Request) ? ONE_SHOT : undefined
}

const ONE_SHOT: Reason = {
  topic: 'one-shot-body',
  warning:
    'A request body is a stream, an iterable or FormData, which idem does not read since that would use it up. ' +
    'The call was made and NOT shared. Pass the body as a string or as bytes to share it.',
}

const FOREIGN: Reason = {
  topic: 'foreign-request',
  warning:
    "A Request is not of the platform's own class, so idem cannot read it. The call was made and NOT shared. " +
    'Pass a URL and an init, or a Request of globalThis, to share it.',
}
