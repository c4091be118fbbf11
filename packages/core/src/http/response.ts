import type { Settled } from '../engine.js'
import type { IdemError } from '../errors/idem-error.js'
import type { Dialect, HttpAnswer } from './dialect.js'

/** Statuses whose responses have no body (Fetch standard, "null body status"). */
const NULL_BODY = new Set([101, 204, 205, 304])

/** A Response whose body comes in pieces, from a running call. */
export function toStreamResponse(
  { status, headers: recorded }: Omit<HttpAnswer, 'body'>,
  outcome: 'executed' | 'collapsed',
  key: string,
  body: ReadableStream<Uint8Array>,
): Response {
  const headers = asHeaders(recorded)
  headers.append('cache-status', cacheStatus({ outcome }, 0, key))
  return new Response(body, { status, headers })
}

/** The answer as a fresh Response, with `Cache-Status` (RFC 9211), and `Age` (RFC 9111) where it is a replay. */
export function toResponse(settled: Settled<HttpAnswer>, key: string): Response {
  const { status, headers: recorded, body } = settled.value
  const headers = asHeaders(recorded)
  const ageMs = Math.max(0, Date.now() - (settled.record?.storedAtMs ?? Date.now()))
  headers.append('cache-status', cacheStatus(settled, ageMs, key))
  if (settled.outcome === 'replayed') headers.set('age', String(Math.floor(ageMs / 1000)))
  // A Response copies the bytes it is given (Fetch standard), so each caller has its own.
  return new Response(NULL_BODY.has(status) ? null : body, { status, headers })
}

/** An error of idem as the provider would send one. Not to be retried where asking again would say the same. */
export function errorResponse(dialect: Dialect, error: IdemError): Response {
  return new Response(JSON.stringify(dialect.errorBody(error)), {
    status: error.status,
    headers: { 'content-type': 'application/json', 'x-should-retry': String(error.isRetryable) },
  })
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
