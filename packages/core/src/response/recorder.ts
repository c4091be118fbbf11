import { setImmediate } from 'node:timers/promises'
import type { Begin } from '../call/engine.js'
import type { StreamFormat } from '../dialect/dialect.js'
import { readEvents } from '../dialect/server-events.js'
import { StreamInterruptedError } from '../errors/execution-errors.js'
import { within } from '../util/within.js'
import { beginsDocument, type Incoming, incoming, restOf } from './incoming.js'
import { headOf, NOT_KEPT, type Recorded, readAnswer } from './recorded.js'

/** How long a connection may stay open after the last event, ms, whatever it says: nothing more is expected. */
const LINGER_MS = 200

const CUT_ERROR =
  'The provider ended the stream with an error, in an event that is cut off before its blank line.'

/** How a response is recorded. */
export interface Recording {
  /** Absent if the dialect has no streams: every answer is then read as a whole. */
  readonly streams: StreamFormat | undefined
  readonly askedStream: boolean
  /** Response headers that are recorded beside those that describe every answer. */
  readonly keepHeaders: readonly string[]
  readonly limitBytes: number
  readonly begin: Begin
}

/**
 * Reads a response to its end. A stream goes into a log on the way, from which all callers have it, the one whose call
 * it is too: the upstream is read at its own pace whatever they do.
 *
 * @returns the answer; `NOT_KEPT` where a stream grew over the limit, and is left to one caller
 * @throws StreamInterruptedError where a stream ends before its answer is complete, with what the connection failed
 * with as its cause
 */
export async function recordAnswer(response: Response, recording: Recording): Promise<Recorded> {
  const { streams, askedStream, keepHeaders } = recording
  if (!streams) return { ...(await readAnswer(response, keepHeaders)), askedStream, isStream: false }
  const head = headOf(response, keepHeaders)
  const body = await incoming(response, askedStream)
  if (body.isStream) return recordStream(head, body, { ...recording, streams })
  return { ...head, body: await restOf(body), askedStream, isStream: false }
}

async function recordStream(
  responseHead: ReturnType<typeof headOf>,
  body: Incoming,
  { streams, askedStream, limitBytes, begin }: Recording & { streams: StreamFormat },
): Promise<Recorded> {
  const head = { ...responseHead, askedStream, isStream: true }
  const inspector = streams.inspect()
  const log = begin({ kind: 'http', facts: head })
  let closesAt: number | undefined

  /** Undefined if the connection stays open too long after the last event. */
  async function read(): Promise<{ bytes?: Uint8Array } | undefined> {
    const reading = async () => ({ bytes: await body.next() })
    if (inspector.state === 'running') return reading()
    closesAt ??= performance.now() + LINGER_MS
    const leftMs = closesAt - performance.now()
    return leftMs > 0 ? within(reading(), leftMs) : undefined
  }

  /** The next bytes, or undefined at the end of a complete answer. */
  async function next(): Promise<Uint8Array | undefined> {
    const { state } = inspector
    const isOpen = state === 'running'
    try {
      const more = await read()
      if (more?.bytes) {
        inspector.push(more.bytes)
        return more.bytes
      }
      if (!more) body.close()
    } catch (cause) {
      // A connection that breaks after the last event does no harm.
      if (isOpen) throw new StreamInterruptedError('The connection to the provider broke.', { cause })
    }
    if (isOpen) inspector.end?.()
    // Readers pass over an event that is not closed: to them the answer would end here as if it were whole.
    if (isOpen && inspector.state === 'failed') throw new StreamInterruptedError(CUT_ERROR)
    if (inspector.state !== 'running' || isOther()) return undefined
    throw new StreamInterruptedError('The provider ended the stream before the answer was whole.')
  }

  /** A body without events that was not said to have any, or is an error page, say, is complete when it ends. */
  function isOther(): boolean {
    // An answer that grew over the limit is not kept as a whole.
    if (log.state.is !== 'open') return false
    const bytes = log.bytes()
    return (!body.isDeclared || beginsDocument(bytes) === true) && readEvents(bytes).length === 0
  }

  for (let bytes = await next(); bytes; bytes = await next()) {
    if (inspector.state === 'failed') {
      // The error is reported after the key is settled, so that a caller that asks again does not meet it once more.
      body.close()
      return { ...head, body: Buffer.concat([log.bytes(), bytes]) }
    }
    log.append(bytes)
    if (log.length > limitBytes) {
      // Its own caller may be about to read it.
      if (!log.hasReaders) await setImmediate()
      log.spill(
        { next, close: body.close },
        new StreamInterruptedError('The answer grew over what is kept for others.'),
      )
      return NOT_KEPT
    }
  }
  const isUnended = inspector.state !== 'whole' && inspector.state !== 'failed'
  return { ...head, body: log.bytes(), ...(isUnended && { isUnended }) }
}
