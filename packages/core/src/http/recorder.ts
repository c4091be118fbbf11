import { setImmediate } from 'node:timers/promises'
import type { Begin } from '../engine.js'
import { StreamInterruptedError } from '../errors/stream-interrupted-error.js'
import { within } from '../within.js'
import type { HttpAnswer, StreamFormat } from './dialect.js'
import { headOf, NOT_KEPT } from './recorded.js'

/** How long a connection may stay open after the last event, ms: what it would still say is nothing. */
const LINGER_MS = 200

/**
 * Reads a streamed response to its end into a log, from which all callers have it, the one whose call it is too: the
 * upstream is read at its own pace whatever they do.
 *
 * @returns the whole answer; `NOT_KEPT` where it grew over the limit, and is left to one caller
 * @throws StreamInterruptedError where it ends without the event that says that it is whole, with what the connection
 * failed with as its cause
 */
export async function recordStream(
  response: Response,
  streams: StreamFormat,
  limitBytes: number,
  begin: Begin,
): Promise<HttpAnswer> {
  const head = headOf(response)
  const inspector = streams.inspect()
  const log = begin({ kind: 'http', facts: { ...head } })
  const reader = response.body?.getReader()
  const cancel = () => void reader?.cancel().catch(() => {})

  /** The next bytes, or undefined at the end of a whole answer. */
  async function next(): Promise<Uint8Array | undefined> {
    const isOpen = inspector.state === 'running'
    try {
      const reading = reader?.read()
      const read = await (reading && !isOpen ? within(reading, LINGER_MS) : reading)
      if (read && !read.done) {
        inspector.push(read.value)
        return read.value
      }
      if (!read) cancel()
    } catch (cause) {
      // A connection that breaks after the last event takes nothing away.
      if (isOpen) throw new StreamInterruptedError('The connection to the provider broke.', { cause })
    }
    if (!isOpen) return undefined
    throw new StreamInterruptedError('The provider ended the stream before the answer was whole.')
  }

  for (let bytes = await next(); bytes; bytes = await next()) {
    if (inspector.state === 'failed') {
      // The error is given out when the call has been settled, so that whoever asks again does not meet it once more.
      cancel()
      return { ...head, body: Buffer.concat([log.bytes(), bytes]) }
    }
    log.append(bytes)
    if (log.length > limitBytes) {
      // Its own caller may be about to read.
      if (!log.hasReaders) await setImmediate()
      log.spill(
        { next, close: cancel },
        new StreamInterruptedError('The answer grew over what is kept for others.'),
      )
      return NOT_KEPT
    }
  }
  return { ...head, body: log.bytes() }
}
