import type { Bytes } from '../answer/live-log.js'
import { isEventStream } from './representation.js'
import { readerOf } from './response-body.js'

/** The body of a response on its way in. */
export interface Incoming extends Bytes {
  /** Whether it is a stream of events, to be passed on as it comes. */
  readonly isStream: boolean
  /** Whether its content type says so. */
  readonly isDeclared: boolean
}

/**
 * Decides whether a response is a stream. Its content type says so, or a stream was asked for and the body is not JSON
 * or markup: relays send events as `text/plain`, or without a type. Then the first byte that is not blank decides.
 */
export async function incoming(response: Response, askedStream: boolean): Promise<Incoming> {
  const { next, close } = readerOf(response.body)
  const isDeclared = isEventStream(response.status, response.headers.get('content-type'))
  if (isDeclared || !askedStream || response.status !== 200) {
    return { isStream: isDeclared, isDeclared, next, close }
  }
  const held: Uint8Array[] = []
  let isDocument: boolean | undefined
  for (let bytes = await next(); bytes; bytes = await next()) {
    held.push(bytes)
    isDocument = beginsDocument(bytes)
    if (isDocument !== undefined) break
  }
  return { isStream: isDocument === false, isDeclared, next: async () => held.shift() ?? next(), close }
}

/** Whether these bytes begin JSON or markup, which no event does; undefined while there are only blanks. */
export function beginsDocument(bytes: Uint8Array): boolean | undefined {
  // Blanks, and the three bytes of a byte order mark.
  const first = bytes.find((byte) => ![0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf].includes(byte))
  return first === undefined ? undefined : '{[<'.includes(String.fromCharCode(first))
}

/** The rest of it. */
export async function restOf(body: Bytes): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for (let bytes = await body.next(); bytes; bytes = await body.next()) pieces.push(bytes)
  return Buffer.concat(pieces)
}
