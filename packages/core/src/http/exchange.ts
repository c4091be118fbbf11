import type { Call } from '../call/engine.js'
import { refreshing } from '../call/refresh.js'
import type { HttpRequest } from '../dialect/dialect.js'
import { ClosedError } from '../errors/caller-errors.js'
import { isIdemError } from '../errors/idem-error.js'
import { PIECE } from '../key/json-steps.js'
import { storeKey } from '../key/key.js'
import { isRetryIn } from '../key/request-headers.js'
import type { Identified } from '../key/request-payload.js'
import { atOnce, inTurns, type Steps } from '../key/steps.js'
import type { MergedOptions } from '../options/call-options.js'
import { httpCodec } from '../response/http-codec.js'
import { type OwnHead, ownHeadOf, type Recorded } from '../response/recorded.js'
import { recordAnswer } from '../response/recorder.js'
import { errorResponse } from '../response/response.js'
import { assertResponse } from '../response/response-body.js'
import { MAX_TIMER_MS } from '../util/assert.js'
import { answerStream, answerWhole, type Shared } from './answers.js'
import { assertExchange, type Exchange, type HttpDoor, type Reason } from './door.js'
import { belowDoor, isBelowDoor, passOn } from './pass-on.js'
import { identify, optionsFor, type Sharing, sharingOf } from './sharing.js'

/**
 * One HTTP request through the loop. Errors of idem come back as error responses in the provider's shape; the only
 * rejections are those of `send` and of this caller's own signal, and IDEM_INVALID_ARGUMENT for a bad exchange.
 * A stream begins as soon as the answer does.
 */
export async function exchange(door: HttpDoor, one: Exchange): Promise<Response> {
  assertExchange(one)
  const { dialect, request, send } = one
  if (one.opaque && request.body === '' && dialect.matches(request)) {
    const { opaque: reason, options = one.client } = one
    return passOn(door, { dialect, options, isRetry: isRetryIn(request.headers), reason }, () =>
      send(request),
    )
  }
  // Large bodies are read with pauses for others, all else at once: what was asked before `close()` is under way then.
  const isLarge = request.body.length > PIECE
  const read = identify(dialect, request)
  const identity = isLarge ? await inTurns(read) : atOnce(read)
  // Not a request of this dialect: it goes on untouched.
  if (!identity) return send(request)
  const isRetry = isRetryIn(request.headers)
  if (!('json' in identity)) {
    const { options = one.client } = one
    return passOn(door, { dialect, options, isRetry, reason: identity }, () => send(request))
  }
  if (isBelowDoor()) {
    door.events.log(
      'debug',
      `Two doors of idem are on the way of a ${dialect.door} call: the outer one does the work.`,
    )
    return send(request)
  }
  const sendOn = (one: HttpRequest) => belowDoor(() => send(one))
  try {
    if (door.isClosing()) throw new ClosedError()
    const understood = understand(door, one, identity)
    const { options, opaque, sharing } = isLarge ? await inTurns(understood) : atOnce(understood)
    if (!sharing) {
      if (opaque && !options.bypass) door.events.warn(opaque.topic, opaque.warning)
      const response = await sendOn(request)
      door.events.emit('call', { door: dialect.door, outcome: 'bypassed', isRetry })
      return response
    }
    let own: OwnHead | undefined
    const onAnswered = (response: Response) => {
      own = ownHeadOf(response)
    }
    const call = callOf({ door, one, sendOn, onAnswered }, identity, { ...options, ...sharing })
    const answer = identity.streaming ? answerStream : answerWhole
    const { keepHeaders } = options
    return await answer({ door, one, call, sendOn, isRetry, keepHeaders, ownHead: () => own })
  } catch (error) {
    if (isIdemError(error)) return errorResponse(dialect, error)
    throw error
  }
}

/** How the request is shared, or why not. */
function* understand(
  door: HttpDoor,
  one: Exchange,
  identity: Identified,
): Steps<{ options: MergedOptions; opaque: Reason | undefined; sharing: Sharing | undefined }> {
  const options = yield* optionsFor(door, one)
  const opaque = one.opaque ?? unreadStream(one, identity)
  const sharing = opaque ? undefined : yield* sharingOf(door, one, identity, options)
  return { options, opaque, sharing }
}

/** The request as the loop knows it. */
function callOf(
  {
    door: { settings, events },
    one: { dialect, request, timeoutMs },
    sendOn,
    onAnswered,
  }: Pick<Shared, 'door' | 'one' | 'sendOn'> & { readonly onAnswered: (response: Response) => void },
  identity: Identified,
  options: MergedOptions & Sharing,
): Call<Recorded> {
  const { streams } = dialect
  const { scope, ttl, fingerprint, toolCalls, keepHeaders } = options
  const call: Call<Recorded> = {
    id: storeKey(dialect.door, scope, options.key ?? [fingerprint]),
    fingerprint,
    isKeyGiven: options.key !== undefined,
    ttlMs: ttl,
    // A caller that allows more time than our own limit gets it.
    maxWaitMs: Math.max(settings.maxWaitMs, timeoutMs ?? 0),
    maxExecutionMs: Math.min(MAX_TIMER_MS, Math.max(settings.maxExecutionMs, timeoutMs ?? 0)),
    // A caller that allows little time keeps half of it for the call itself.
    maxStoreMs: (timeoutMs ?? Number.POSITIVE_INFINITY) / 2,
    ifAbandoned: settings.ifAbandoned,
    ifStoreFails: settings.ifStoreFails,
    ifOwnerLost: 'execute',
    isLive: streams !== undefined,
    async work(signal, begin) {
      const response = await sendOn({ ...request, signal })
      assertResponse(response)
      onAnswered(response)
      const { maxRecordBytes: limitBytes } = settings
      const askedStream = identity.streaming
      return recordAnswer(response, { streams, askedStream, keepHeaders, limitBytes, begin })
    },
    codec: httpCodec({ dialect, json: identity.json, toolCalls }, settings.maxRecordBytes, events),
  }
  return options.refresh ? refreshing(call) : call
}

/** Why a request for a stream that its dialect cannot read is not shared. */
function unreadStream({ dialect }: Exchange, { streaming }: Identified): Reason | undefined {
  if (!streaming || dialect.streams) return undefined
  return {
    topic: `unread-stream-${dialect.door}`,
    warning: `A request asks for a stream, and idem reads no streams of ${dialect.door} requests. It was NOT shared. To share it, ask for the whole answer.`,
  }
}
