import type { Settled } from '../call/engine.js'
import type { Dialect, HttpAnswer } from '../dialect/dialect.js'
import type { IdemError } from '../errors/idem-error.js'
import type { OwnHead, Recorded } from './recorded.js'
import { sharedHeaders } from './response-headers.js'

/** Statuses whose responses have no body (Fetch standard, "null body status"). */
const NULL_BODY = new Set([101, 204, 205, 304])

/** What one caller is told beside what is recorded of the answer. */
export interface Asked {
  /** The key as callers see it. */
  readonly key: string
  readonly url: string
  readonly keepHeaders: readonly string[]
  /** The provider's response to this very caller; undefined until its own call is answered. */
  readonly own: OwnHead | undefined
}

/** A Response whose body comes in pieces, from a running call. */
export function toStreamResponse(
  head: Omit<Recorded, 'body' | 'askedStream'>,
  outcome: 'executed' | 'collapsed',
  asked: Asked,
  body: ReadableStream<Uint8Array>,
): Response {
  const seen = headFor(head, outcome, asked)
  const headers = asHeaders(seen.headers)
  headers.append('cache-status', cacheStatus({ outcome }, 0, asked.key))
  return respond(body, seen, headers)
}

/** The answer as a fresh Response, with `Cache-Status` (RFC 9211), and `Age` (RFC 9111) where it is a replay. */
export function toResponse(settled: Settled<Recorded>, asked: Asked): Response {
  const { value, outcome, record } = settled
  const seen = headFor(value, outcome, asked)
  const headers = asHeaders(seen.headers)
  const ageMs = Math.max(0, Date.now() - (record?.storedAtMs ?? Date.now()))
  headers.append('cache-status', cacheStatus(settled, ageMs, asked.key))
  if (outcome === 'replayed') headers.set('age', String(Math.floor(ageMs / 1000)))
  // A Response copies the bytes it is given (Fetch standard), so each caller has its own.
  return respond(NULL_BODY.has(value.status) ? null : value.body, seen, headers)
}

/** An error of idem as the provider would send one. Not to be retried where asking again would say the same. */
export function errorResponse(dialect: Dialect, error: IdemError): Response {
  return new Response(JSON.stringify(dialect.errorBody(error)), {
    status: error.status,
    headers: { 'content-type': 'application/json', 'x-should-retry': String(error.isRetryable) },
  })
}

/** The head for this caller: all of it if the call was its own, else the part that holds for everybody. */
function headFor(
  { status, statusText, headers, redirectedTo }: Omit<Recorded, 'body' | 'askedStream'>,
  outcome: Settled<unknown>['outcome'],
  { own, url, keepHeaders }: Asked,
): OwnHead {
  const requested = withoutFragment(url)
  if (outcome === 'executed' && own) {
    // The body may be in another form than the provider sent, for a caller that asked for that.
    const type = headers.filter(([name]) => name === 'content-type')
    const others = own.headers.filter(([name]) => name !== 'content-type')
    return { ...own, status, statusText, headers: [...others, ...type], url: own.url || requested }
  }
  return {
    status,
    statusText,
    headers: sharedHeaders(status, headers, keepHeaders),
    url: redirectedTo ?? requested,
    redirected: redirectedTo !== undefined,
    type: 'basic',
  }
}

function withoutFragment(href: string): string {
  if (!URL.canParse(href)) return href
  const url = new URL(href)
  url.hash = ''
  return url.href
}

function respond(
  body: Uint8Array | ReadableStream<Uint8Array> | null,
  head: OwnHead,
  headers: Headers,
): Response {
  const { status } = head
  // The constructor refuses other statuses, but a provider may send 999, say: then `like` has it.
  const isKnown = status >= 200 && status <= 599
  return like(new Response(body, { status: isKnown ? status : 500, headers }), head)
}

/** Members of a Response that its constructor cannot set, for the Response and its clones. */
function like(response: Response, head: OwnHead): Response {
  const { status, statusText, url, redirected, type } = head
  const clone = () => like(Response.prototype.clone.call(response), head)
  const told = { status, statusText, url, redirected, type, clone }
  for (const [name, value] of Object.entries(told)) {
    Object.defineProperty(response, name, { value, configurable: true })
  }
  return response
}

function asHeaders(recorded: HttpAnswer['headers']): Headers {
  return new Headers(recorded.map(([name, value]): [string, string] => [name, value]))
}

function cacheStatus(
  { outcome, record }: Pick<Settled<HttpAnswer>, 'outcome' | 'record'>,
  ageMs: number,
  key: string,
): string {
  const named = `key="${key}"`
  if (outcome === 'replayed') {
    const ttl = Math.max(0, Math.floor(((record?.ttlMs ?? 0) - ageMs) / 1000))
    return `idem; hit; ttl=${ttl}; ${named}`
  }
  return outcome === 'collapsed'
    ? `idem; fwd=miss; collapsed; ${named}`
    : `idem; fwd=miss${record ? '; stored' : ''}; ${named}`
}
