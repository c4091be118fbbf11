import { AsyncLocalStorage } from 'node:async_hooks'
import type { Settled } from '../engine.js'
import { ClosedError } from '../errors/closed-error.js'
import { type IdemError, isIdemError } from '../errors/idem-error.js'
import type { Flights } from '../flight.js'
import { assertKey, digest, payloadDigest, storeKey } from '../key.js'
import * as check from '../options.js'
import type { Settings } from '../settings.js'
import type { Counters } from '../stats.js'
import type { Dialect, HttpAnswer, HttpRequest, Identity } from './dialect.js'
import { httpCodec, readAnswer } from './http-codec.js'
import { errorResponse, toResponse } from './response.js'

/** What one HTTP call may ask for. */
export interface CallOptions {
  /** How long the answer is replayed, ms. The first caller's counts. @default the ttl of createIdem */
  readonly ttl?: number
  /** Make a call of its own: neither answered from a record nor shared with anybody, nor stored. @default false */
  readonly bypass?: boolean
  /** Whose calls share. @default a digest of the credential and the origin of the request */
  readonly scope?: string
  /** What makes calls the same, instead of the request itself; the same key with another request is refused. */
  readonly key?: string
}

/** One request on its way through idem to the provider. */
export interface Exchange {
  readonly dialect: Dialect
  readonly request: HttpRequest
  /** The real call. Its signal is the execution's, never one caller's. */
  send(request: HttpRequest): Promise<Response>
  readonly options?: CallOptions
  /** The scope where the options name none and before the credential is asked. */
  readonly scope?: string
  /** How long this caller waits, ms; then it gets a DOMException named AbortError, which SDKs take for a timeout. */
  readonly timeoutMs?: number
}

/** What an exchange needs of its idem. */
export interface HttpDoor {
  readonly flights: Flights
  readonly counters: Counters
  readonly settings: Settings
  warn(topic: string, message: string): void
  isClosing(): boolean
}

/**
 * One HTTP request through the loop. Errors of idem come back as error responses in the provider's shape, which say
 * that they are not to be retried; the only rejections are those of `send` and of this caller's own signal.
 */
export async function exchange(door: HttpDoor, one: Exchange): Promise<Response> {
  const { dialect, request, send } = one
  const identity = identify(dialect, request)
  // Not a request of this dialect, or a stream: untouched. Below another door of idem: its work is done there.
  if (!identity || identity.streaming || below.getStore()) return send(request)
  const sendOn = (one: HttpRequest) => below.run(true, () => send(one))
  try {
    if (door.isClosing()) throw new ClosedError()
    const options = callOptions(one)
    if (one.scope !== undefined) check.assertScope(one.scope)
    const scope = options.scope ?? one.scope ?? credentialScope(request, identity)
    if (scope === undefined) warnUnscoped(door)
    if (options.bypass || scope === undefined) {
      door.counters.bypassed()
      return await sendOn(request)
    }
    const fingerprint = payloadDigest(identity.payload)
    const id = storeKey(dialect.door, scope, options.key ?? fingerprint)
    const call = {
      id,
      fingerprint,
      ttlMs: options.ttl ?? door.settings.ttl,
      // A caller that allows more time than we do gets it.
      maxWaitMs: Math.max(door.settings.maxWaitMs, one.timeoutMs ?? 0),
      maxExecutionMs: Math.max(door.settings.maxExecutionMs, one.timeoutMs ?? 0),
      // One that allows little keeps half of it for the call itself.
      storeBudgetMs: Math.min(door.settings.storeBudgetMs, (one.timeoutMs ?? Number.POSITIVE_INFINITY) / 2),
      work: async (signal: AbortSignal) => readAnswer(await sendOn({ ...request, signal })),
      codec: httpCodec(dialect, request, door.settings.recordLimitBytes, door.warn),
    }
    const settled: Settled<HttpAnswer> = await withDeadline(one, (signal) => door.flights.share(call, signal))
    door.counters.settled(settled)
    return toResponse(settled, id)
  } catch (error) {
    if (isIdemError(error)) return errorResponse(dialect, error as IdemError)
    throw error
  }
}

/** Set on the way from a door to the provider: what comes by there has been through a door already. */
const below = new AsyncLocalStorage<true>()

/** Runs with a signal that ends at the caller's abort or deadline. */
async function withDeadline<T>(
  { request, timeoutMs }: Exchange,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController()
  const expire = () => deadline.abort(new DOMException('This caller waited long enough.', 'AbortError'))
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs)
  try {
    return await run(request.signal ? AbortSignal.any([request.signal, deadline.signal]) : deadline.signal)
  } finally {
    clearTimeout(timer)
  }
}

function identify(dialect: Dialect, request: HttpRequest): Identity | undefined {
  if (!dialect.matches(request)) return undefined
  try {
    return dialect.identify(request)
  } catch {
    return undefined // A body that is none of this dialect: the provider says what is wrong with it.
  }
}

/** Who asks, without saying who: the digest of the credential, and where it is sent. */
function credentialScope(request: HttpRequest, { credential }: Identity): string | undefined {
  return credential === undefined
    ? undefined
    : digest(JSON.stringify([new URL(request.url).origin, credential]))
}

function warnUnscoped({ warn }: HttpDoor): void {
  warn(
    'unscoped',
    'A request shows no credential, so it cannot be told whose it is: it was NOT shared. Pass a scope to share it.',
  )
}

/** The checked options; an `Idempotency-Key` header is the key where they name none. It stays on the wire. */
function callOptions({ options: given = {}, request }: Exchange): CallOptions {
  check.assertKnown(given, ['ttl', 'bypass', 'scope', 'key'], 'idem options')
  const options = { ...given, key: given.key ?? request.headers.get('idempotency-key') ?? undefined }
  if (options.ttl !== undefined) check.assertMs(options.ttl, 'ttl')
  if (options.scope !== undefined) check.assertScope(options.scope)
  if (options.key !== undefined) assertKey(options.key)
  if (options.bypass !== undefined) check.assertBoolean(options.bypass, 'bypass')
  return options
}
