import type { Begin } from '../engine.js'
import { StreamInterruptedError } from '../errors/stream-interrupted-error.js'
import type { HttpAnswer, StreamFormat } from './dialect.js'
import { headOf, NOT_KEPT } from './http-codec.js'

/**
 * Reads a streamed response to its end into a log, from which all callers have it, the one whose call it is too: the
 * upstream is read at its own pace whatever they do.
 *
 * @returns the whole answer; `NOT_KEPT` where it grew over the limit, and is left to one caller
 * @throws StreamInterruptedError where it ends without the event that says that it is whole; what the connection failed
 * with
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

  /** The next bytes, or undefined at the end of a whole answer. */
  async function read(): Promise<Uint8Array | undefined> {
    try {
      const next = await reader?.read()
      if (next && !next.done) {
        inspector.push(next.value)
        return next.value
      }
    } catch (cause) {
      // A connection that breaks after the last event takes nothing away.
      if (inspector.state === 'running') {
        throw new StreamInterruptedError('The connection to the provider broke.', { cause })
      }
    }
    if (inspector.state !== 'running') return undefined
    throw new StreamInterruptedError('The provider ended the stream before the answer was whole.')
  }

  for (let bytes = await read(); bytes; bytes = await read()) {
    if (inspector.state === 'failed') {
      // The error is given out when the call has been settled, so that whoever asks again does not meet it once more.
      void reader?.cancel().catch(() => {})
      return { ...head, body: Buffer.concat([log.bytes(), bytes]) }
    }
    log.append(bytes)
    if (log.length > limitBytes) {
      const tooLarge = new StreamInterruptedError('The answer grew over what is kept for others.')
      if (!log.spill(read, tooLarge)) await reader?.cancel()
      return NOT_KEPT
    }
  }
  return { ...head, body: log.bytes() }
}
