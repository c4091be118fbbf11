import type { Bytes } from '../answer/live-log.js'
import { InvalidArgumentError } from '../errors/caller-errors.js'

/** A body as the platform's fetch gives it, or as a Node stream, which node-fetch gives. */
export function readerOf(body: unknown): Bytes {
  if (body === null || body === undefined) return { next: async () => undefined, close() {} }
  if (isWebStream(body)) {
    const reader = body.getReader()
    return {
      next: async () => (await reader.read()).value,
      close: () => void reader.cancel().catch(() => {}),
    }
  }
  const pieces = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  return {
    next: async () => (await pieces.next()).value,
    close: () => void pieces.return?.().catch(() => {}),
  }
}

function isWebStream(body: unknown): body is ReadableStream<Uint8Array> {
  return typeof (body as Partial<ReadableStream>).getReader === 'function'
}

/** @throws InvalidArgumentError for what a fetch below idem gave instead of a response */
export function assertResponse(response: unknown): asserts response is Response {
  const { status, headers, body } = Object(response) as Partial<Response>
  const isReadable = (body ?? null) === null || isWebStream(body) || Symbol.asyncIterator in Object(body)
  const hasHeaders = typeof headers?.get === 'function' && Symbol.iterator in headers
  if (Number.isInteger(status) && hasHeaders && isReadable) return
  throw new InvalidArgumentError(
    'The fetch below idem did not give a Response. The call may have been made; its answer cannot be read. ' +
      "Give idem a fetch that resolves with a Response of the Fetch standard, such as the platform's.",
  )
}
