import { abortable } from '../util/abortable.js'
import type { Reason } from './door.js'

/** Bodies that reading uses up, or that are not the text of a request. */
export function isOneShot(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  const tag = Object.prototype.toString.call(body)
  return tag === '[object ReadableStream]' || tag === '[object FormData]' || Symbol.asyncIterator in body
}

/** The bytes of a request's body, as they would be sent. Rejects as `fetch` does. */
export async function bytesOf(request: Request, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const reader = request.body?.getReader()
  const pieces: Uint8Array[] = []
  try {
    for (;;) {
      const read = await abortable(Promise.resolve(reader?.read()), signal)
      if (!read || read.done) return Buffer.concat(pieces)
      pieces.push(pieceOf(read.value))
    }
  } catch (cause) {
    // Nobody reads the rest.
    void reader?.cancel(cause).catch(() => {})
    if (signal?.aborted) throw signal.reason
    throw new TypeError('fetch failed', { cause })
  }
}

/** Platforms take text as a piece of a stream of bytes, though the standard does not. */
function pieceOf(value: unknown): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return value
  throw new TypeError('A piece of the body is not bytes.')
}

/**
 * The body to send: text as text and bytes as bytes, since a fetch below may look at it. What came in a Request is a
 * Blob, which can be sent once more where a redirect asks for that.
 */
export function bodyOf(read: string | Uint8Array, { isFromRequest }: { readonly isFromRequest: boolean }) {
  return isFromRequest ? new Blob([read]) : read
}

const BYTE_ORDER_MARK = '\ufeff'

/**
 * The body as text, if no letter is lost; undefined for bytes that are not UTF-8, and for a byte order mark, which
 * readers of JSON treat in different ways.
 */
export function textOf(body: string | Uint8Array): string | undefined {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const text = typeof body === 'string' ? body : decoder.decode(body)
    return text.startsWith(BYTE_ORDER_MARK) ? undefined : text
  } catch {
    return undefined
  }
}

export const NOT_UTF8: Reason = {
  topic: 'not-utf8',
  warning:
    'A request body is not UTF-8 text, or begins with a byte order mark. The call was made and NOT shared. ' +
    'Send JSON as UTF-8 without a byte order mark to share it.',
}

const NO_TEXT: Reason = {
  topic: 'unread-body',
  warning:
    'A request body is neither text nor bytes, so idem does not read it. The call was made and NOT shared. ' +
    'Pass the body as an object, as a string or as bytes to share it.',
}

/** A request's body: as it is compared, and as it is sent. */
export interface ReadBody {
  /** Empty if it cannot be read. */
  readonly text: string
  /** Bytes are copied, since their owner may change them meanwhile. */
  readonly body: unknown
  /** Why it cannot be read. */
  readonly opaque?: Reason
}

/** For packages that put idem below an SDK: reads the body that the SDK would send, without using it up. */
export function readBody(body: unknown): ReadBody {
  if (typeof body === 'string') return { text: body, body }
  const isBytes = body instanceof ArrayBuffer || ArrayBuffer.isView(body)
  if (!isBytes) return { text: '', body, opaque: NO_TEXT }
  const seen = ArrayBuffer.isView(body)
    ? new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
    : new Uint8Array(body)
  const bytes = Uint8Array.from(seen)
  const text = textOf(bytes)
  return text === undefined ? { text: '', body: bytes, opaque: NOT_UTF8 } : { text, body: bytes }
}
