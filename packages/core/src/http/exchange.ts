import { AsyncLocalStorage } from 'node:async_hooks'
import type { Call, Settled } from '../engine.js'
import { ClosedError } from '../errors/closed-error.js'
import { isIdemError } from '../errors/idem-error.js'
import type { Flights } from '../flight.js'
import { assertKey, digest, payloadDigest, storeKey } from '../key.js'
import * as check from '../options.js'
import type { Settings } from '../settings.js'
import type { Counters } from '../stats.js'
import type { Dialect, HttpAnswer, HttpRequest, Identity } from './dialect.js'
import { inForm, isStream, isSuccess } from './forms.js'
import { headOf, httpCodec, NOT_KEPT, readAnswer } from './http-codec.js'
import { Patience } from './patience.js'
import { recordStream } from './recorder.js'
import { errorResponse, toResponse, toStreamResponse } from './response.js'
import { type Bytes, once, streamBody, within } from './stream-body.js'

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

/** How long a caller that wants a stream waits for somebody else's call before it is sent headers and a ping, ms. */
const PING_MS = 5_000

/**
 * One HTTP request through the loop. Errors of idem come back as error responses in the provider's shape; the only
 * rejections are those of `send` and of this caller's own signal. A stream begins as soon as the answer does.
 */
export async function exchange(door: HttpDoor, one: Exchange): Promise<Response> {
  const { dialect, request, send } = one
  const identity = identify(dialect, request)
  // Not a request of this dialect, or a stream it cannot read: untouched. Below another door of idem: its work is done
  // there.
  const isForeign = !identity || (identity.streaming && !dialect.streams)
  if (isForeign || below.getStore()) return send(request)
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
    const call = callOf(door, one, options, {
      id: storeKey(dialect.door, scope, options.key ?? fingerprint),
      fingerprint,
      sendOn,
    })
    const answer = identity.streaming ? answerStream : answerWhole
    return await answer({ door, one, call, sendOn })
  } catch (error) {
    if (isIdemError(error)) return errorResponse(dialect, error)
    throw error
  }
}

/** A request that is shared, and its caller. */
interface Shared {
  readonly door: HttpDoor
  readonly one: Exchange
  readonly call: Call<HttpAnswer>
  readonly sendOn: (request: HttpRequest) => Promise<Response>
}

async function answerWhole({ door, one, call, sendOn }: Shared): Promise<Response> {
  const patience = new Patience(one.request.signal, one.timeoutMs)
  const seat = door.flights.board(call, patience.signal)
  try {
    return await whole(await seat.settled(), false, { door, one, call, sendOn })
  } finally {
    patience.stop()
    seat.leave(patience.leaving)
  }
}

async function answerStream({ door, one, call, sendOn }: Shared): Promise<Response> {
  const { dialect, request } = one
  const streams = dialect.streams!
  const patience = new Patience(request.signal, one.timeoutMs)
  const seat = door.flights.board(call, patience.signal)
  const reading = {
    seat,
    ping: encode(streams.ping),
    pingMs: PING_MS,
    async open(settled: Settled<HttpAnswer>) {
      const value = formed(settled.value, true, dialect)
      if (!value) return bytesOf(await sendOn(request))
      return once(isSuccess(value) ? value.body : encode(streams.errorEvent(value.body)))
    },
    describe: (error: unknown) =>
      isIdemError(error) && !error.isRetryable
        ? encode(streams.errorEvent(encode(JSON.stringify(dialect.errorBody(error)))))
        : undefined,
  }
  try {
    const next = seat.next()
    const soon = await within(next, PING_MS)
    const source = soon ?? (seat.isDuplicate ? undefined : await next)
    patience.signal.throwIfAborted()
    patience.stop()
    if (source && !('log' in source)) {
      seat.leave()
      return await whole(source, true, { door, one, call, sendOn })
    }
    seat.settled().then(
      (settled) => door.counters.settled(settled),
      () => {},
    )
    const head = source ? (source.log.head.facts as unknown as HttpAnswer) : EARLY_HEAD
    const body = streamBody({ ...reading, source: source ?? next }, request.signal)
    return toStreamResponse(head, source?.outcome ?? 'collapsed', call.id, body)
  } catch (error) {
    patience.stop()
    seat.leave(patience.leaving)
    throw error
  }
}

/** A whole answer in the form the caller asked for; where there is none, a call of its own. */
async function whole(
  settled: Settled<HttpAnswer>,
  streaming: boolean,
  { door, one, call, sendOn }: Shared,
): Promise<Response> {
  const value = formed(settled.value, streaming, one.dialect)
  door.counters.settled(value ? settled : { ...settled, outcome: 'executed' })
  return value ? toResponse({ ...settled, value }, call.id) : sendOn(one.request)
}

/** What is known of an answer that has not begun. */
const EARLY_HEAD = { status: 200, headers: [['content-type', 'text/event-stream; charset=utf-8']] } as const

/** The answer in one form; undefined where there is none. */
function formed(answer: HttpAnswer, streaming: boolean, { streams }: Dialect): HttpAnswer | undefined {
  try {
    return answer === NOT_KEPT ? undefined : inForm(answer, streaming, streams)
  } catch {
    return undefined
  }
}

function bytesOf(response: Response): Bytes {
  const reader = response.body?.getReader()
  return {
    next: async () => (await reader?.read())?.value,
    close: () => void reader?.cancel().catch(() => {}),
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

function callOf(
  { settings, warn }: HttpDoor,
  { dialect, request, timeoutMs }: Exchange,
  options: CallOptions,
  { id, fingerprint, sendOn }: Pick<Call<HttpAnswer>, 'id' | 'fingerprint'> & Pick<Shared, 'sendOn'>,
): Call<HttpAnswer> {
  const { streams } = dialect
  return {
    id,
    fingerprint,
    ttlMs: options.ttl ?? settings.ttl,
    // A caller that allows more time than we do gets it.
    maxWaitMs: Math.max(settings.maxWaitMs, timeoutMs ?? 0),
    maxExecutionMs: Math.max(settings.maxExecutionMs, timeoutMs ?? 0),
    // One that allows little keeps half of it for the call itself.
    storeBudgetMs: Math.min(settings.storeBudgetMs, (timeoutMs ?? Number.POSITIVE_INFINITY) / 2),
    onAbandon: settings.onAbandon,
    isLive: streams !== undefined,
    async work(signal, begin) {
      const response = await sendOn({ ...request, signal })
      return streams && isStream(headOf(response))
        ? recordStream(response, streams, settings.recordLimitBytes, begin)
        : readAnswer(response)
    },
    codec: httpCodec(dialect, request, settings.recordLimitBytes, warn),
  }
}

/** Set on the way from a door to the provider: what comes by there has been through a door already. */
const below = new AsyncLocalStorage<true>()

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
