import { type Call, countedAs, keyOf, type Settled } from '../engine.js'
import { isIdemError } from '../errors/idem-error.js'
import type { Seat } from '../flight.js'
import type { Bytes } from '../live-log.js'
import { dollarsFor, type Prices } from '../usage/prices.js'
import { usageOf } from '../usage/usage.js'
import { within } from '../within.js'
import type { Dialect, HttpRequest } from './dialect.js'
import type { Exchange, HttpDoor } from './door.js'
import { inForm, isStream, STREAM_TYPE } from './forms.js'
import type { Spent } from './http-codec.js'
import { Patience } from './patience.js'
import { headOf, NOT_KEPT, type Recorded, readAnswer } from './recorded.js'
import { toResponse, toStreamResponse } from './response.js'
import { once, streamBody } from './stream-body.js'

/** How long a caller that wants a stream waits for somebody else's call before it is sent headers and a ping, ms. */
const PING_MS = 5_000

/** A request that is shared, and its caller. */
export interface Shared {
  readonly door: HttpDoor
  readonly one: Exchange
  readonly call: Call<Recorded>
  readonly sendOn: (request: HttpRequest) => Promise<Response>
  readonly isRetry: boolean
}

/** Answers a caller that wants the answer as a whole. */
export async function answerWhole(shared: Shared): Promise<Response> {
  const { seat, patience } = board(shared)
  try {
    return await whole(await seat.settled(), false, shared)
  } finally {
    patience.stop()
    seat.leave(patience.leaving)
  }
}

/** Answers a caller that wants the answer as it comes, as soon as it begins. */
export async function answerStream(shared: Shared): Promise<Response> {
  const { one, call } = shared
  const { seat, patience } = board(shared)
  try {
    const next = seat.next()
    let source = await within(next, PING_MS)
    // A call of its own has its own headers, whenever they come.
    while (!source && !seat.isDuplicate) source = await within(next, PING_MS)
    patience.signal?.throwIfAborted()
    patience.stop()
    if (source && !('log' in source)) {
      seat.leave()
      return await whole(source, true, shared)
    }
    const head = source ? (source.log.head.facts as unknown as Recorded) : EARLY_HEAD
    const reading = { seat, source: source ?? next, ...tellingOf(shared) }
    const body = streamBody(reading, one.request.signal)
    return toStreamResponse(head, source?.outcome ?? 'collapsed', keyOf(call), body)
  } catch (error) {
    patience.stop()
    seat.leave(patience.leaving)
    throw error
  }
}

/** What is known of an answer that has not begun. */
const EARLY_HEAD = { status: 200, headers: [['content-type', STREAM_TYPE]] } as const

/** A seat in the flight of the request, for as long as the caller is patient. It is counted when the flight is over. */
function board({ door, one, call, isRetry }: Shared): { seat: Seat<Recorded>; patience: Patience } {
  one.request.signal?.throwIfAborted()
  const patience = new Patience(one.request.signal, one.timeoutMs)
  try {
    const seat = door.flights.board(call, patience.signal)
    seat.ended.then(
      (settled) => {
        // Who left a call of somebody else saved nothing; who left its own made it all the same.
        if (seat.hasGone && (seat.hasJoined || countedAs(settled) !== 'executed')) return
        const isOwn = seat.hasJoined && settled.value === NOT_KEPT
        const outcome = isOwn ? 'executed' : countedAs(settled)
        const facts = { door: one.dialect.door, key: keyOf(call), outcome, isRetry }
        door.events.emit('call', { ...facts, ...costOf(settled, one.dialect, door.settings.prices) })
      },
      () => {},
    )
    return { seat, patience }
  } catch (error) {
    patience.stop()
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

/** A whole answer in the form the caller asked for; where there is none, a call of its own. */
async function whole(
  settled: Settled<Recorded>,
  streaming: boolean,
  { one, call, sendOn }: Shared,
): Promise<Response> {
  const value = formed(settled, streaming, one)
  return value ? toResponse({ ...settled, value }, keyOf(call)) : sendOn(one.request)
}

function formed({ value }: Settled<Recorded>, streaming: boolean, { dialect }: Exchange) {
  return value === NOT_KEPT ? undefined : inForm(value, streaming, dialect.streams)
}

/** How a caller whose headers have gone out is told what is not a stream. */
function tellingOf({ one, sendOn }: Shared) {
  const { dialect, request } = one
  const streams = dialect.streams!
  const lastEvent = (body: Uint8Array) => encode(streams.errorEvent(body))
  return {
    pingMs: PING_MS,
    ping: () => encode(streams.ping),

    async open(settled: Settled<Recorded>): Promise<Bytes> {
      let value = formed(settled, true, one)
      if (!value) {
        const response = await sendOn(request)
        if (isStream(headOf(response))) return bytesOf(response)
        const own = await readAnswer(response)
        value = inForm({ ...own, askedStream: true }, true, streams) ?? own
      }
      return once(isStream(value) ? value.body : lastEvent(value.body))
    },

    describe: (error: unknown) =>
      isIdemError(error) && !error.isRetryable
        ? lastEvent(encode(JSON.stringify(dialect.errorBody(error))))
        : undefined,
  }
}

function bytesOf(response: Response): Bytes {
  const reader = response.body?.getReader()
  return {
    next: async () => (await reader?.read())?.value,
    close: () => void reader?.cancel().catch(() => {}),
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
