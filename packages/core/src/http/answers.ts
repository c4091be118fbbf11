import type { Bytes } from '../answer/live-log.js'
import { type Call, countedAs, keyOf, type Settled } from '../call/engine.js'
import type { Seat } from '../call/flight.js'
import type { Dialect, HttpRequest } from '../dialect/dialect.js'
import { isIdemError } from '../errors/idem-error.js'
import { dollarsFor, type Prices } from '../observe/prices.js'
import { usageOf } from '../observe/usage.js'
import { incoming, restOf } from '../response/incoming.js'
import { headOf, NOT_KEPT, type OwnHead, type Recorded } from '../response/recorded.js'
import { inRepresentation, isStream, STREAM_TYPE } from '../response/representation.js'
import { type Asked, toResponse, toStreamResponse } from '../response/response.js'
import type { Spent } from '../response/stored-head.js'
import { once, streamBody } from '../response/stream-body.js'
import { within } from '../util/within.js'
import { CallerDeadline } from './caller-deadline.js'
import type { Exchange, HttpDoor } from './door.js'

/** How long a caller that wants a stream waits for another owner's call before it is sent headers and a ping, ms. */
const PING_MS = 5_000

/** A request that is shared, and its caller. */
export interface Shared {
  readonly door: HttpDoor
  readonly one: Exchange
  readonly call: Call<Recorded>
  readonly sendOn: (request: HttpRequest) => Promise<Response>
  readonly isRetry: boolean
  readonly keepHeaders: readonly string[]
  /** The provider's response to this caller, once its own call was answered. */
  ownHead(): OwnHead | undefined
}

/** For a caller that wants the whole answer. */
export async function answerWhole(shared: Shared): Promise<Response> {
  const { seat, deadline } = board(shared)
  try {
    return await whole(await seat.settled(), false, shared)
  } finally {
    deadline.stop()
    seat.leave(deadline.leaving)
  }
}

/** For a caller that wants a stream: it begins as soon as the answer does. */
export async function answerStream(shared: Shared): Promise<Response> {
  const { one } = shared
  const { seat, deadline } = board(shared)
  try {
    const next = seat.next()
    let source = await within(next, PING_MS)
    // The caller whose own call it is gets the headers of that call, whenever they come.
    while (!source && !seat.isDuplicate) source = await within(next, PING_MS)
    deadline.signal?.throwIfAborted()
    deadline.stop()
    if (source && !('log' in source)) {
      seat.leave()
      return await whole(source, true, shared)
    }
    const head = source ? (source.log.head.facts as unknown as Recorded) : EARLY_HEAD
    const reading = { seat, source: source ?? next, ...tellingOf(shared) }
    const body = streamBody(reading, one.request.signal)
    return toStreamResponse(head, source?.outcome ?? 'collapsed', askedBy(shared), body)
  } catch (error) {
    deadline.stop()
    seat.leave(deadline.leaving)
    throw error
  }
}

/** The head of an answer that has not begun. */
const EARLY_HEAD = { status: 200, statusText: 'OK', headers: [['content-type', STREAM_TYPE]] } as const

/**
 * Takes a seat in the flight of the request, for as long as the caller is patient. It is counted when the flight is
 * over.
 */
function board({ door, one, call, isRetry }: Shared): { seat: Seat<Recorded>; deadline: CallerDeadline } {
  one.request.signal?.throwIfAborted()
  const deadline = new CallerDeadline(one)
  try {
    const seat = door.flights.board(call, deadline.signal)
    seat.ended
      .then((settled) => {
        // A caller that left another one's call saved nothing. One that left its own call has made it.
        if (seat.hasGone && (seat.hasJoined || countedAs(settled) !== 'executed')) return
        const isOwn = seat.hasJoined && settled.value === NOT_KEPT
        const outcome = isOwn ? 'executed' : countedAs(settled)
        const facts = { door: one.dialect.door, digest: keyOf(call), outcome, isRetry }
        door.events.emit('call', { ...facts, ...costOf(settled, one.dialect, door.settings.prices) })
      })
      // A rejection goes to the caller and is not counted. Counting never fails a call.
      .catch(() => {})
    return { seat, deadline }
  } catch (error) {
    deadline.stop()
    throw error
  }
}

/** What the answer used, and what that costs. */
function costOf({ answer }: Settled<Recorded>, dialect: Dialect, prices: Prices) {
  const { model, usage: counts } = (answer?.facts ?? {}) as Spent
  if (!counts) return { model }
  const usage = usageOf(counts)
  const dollars =
    model === undefined ? undefined : dollarsFor(usage, model, prices, dialect.prices?.models ?? {})
  return { model, usage, dollars }
}

/** A whole answer in the representation the caller asked for. If there is none, the caller makes a call of its own. */
async function whole(settled: Settled<Recorded>, streaming: boolean, shared: Shared): Promise<Response> {
  const { one, sendOn } = shared
  const value = formed(settled, streaming, shared)
  return value ? toResponse({ ...settled, value }, askedBy(shared)) : sendOn(one.request)
}

function askedBy({ one, call, keepHeaders, ownHead }: Shared): Asked {
  return { key: keyOf(call), url: one.request.url, keepHeaders, own: ownHead() }
}

/** Undefined for an answer that this caller cannot be given: it makes its own call. */
function formed({ value }: Settled<Recorded>, streaming: boolean, { one: { dialect }, door }: Shared) {
  if (value === NOT_KEPT) return undefined
  const answer = inRepresentation(value, streaming, dialect.streams)
  // Why a stream cannot be read as a whole is told where it is not stored.
  if (!answer && streaming) door.events.warn(`no-stream-${dialect.door}`, noStreamOf(dialect))
  return answer
}

function noStreamOf({ door }: Dialect): string {
  return `A whole answer to a ${door} request was not shared with a caller that asked for a stream, since no stream says just what it does. That caller made its own call. So does every other like it: ask for all of them in one form.`
}

/** Tells of an error in a stream whose headers have gone out. */
function tellingOf(shared: Shared) {
  const { one, sendOn } = shared
  const { dialect, request } = one
  const streams = dialect.streams!
  const lastEvent = (body: Uint8Array) => encode(streams.errorEvent(body))
  return {
    pingMs: PING_MS,
    ping: () => encode(streams.ping),

    async open(settled: Settled<Recorded>): Promise<Bytes> {
      let value = formed(settled, true, shared)
      if (!value) {
        const response = await sendOn(request)
        const body = await incoming(response, true)
        if (body.isStream) return body
        const own = { ...headOf(response), body: await restOf(body), askedStream: true, isStream: false }
        value = inRepresentation(own, true, streams) ?? own
      }
      return once(isStream(value) ? value.body : lastEvent(value.body))
    },

    describe: (error: unknown) =>
      isIdemError(error) && !error.isRetryable
        ? lastEvent(encode(JSON.stringify(dialect.errorBody(error))))
        : undefined,
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
