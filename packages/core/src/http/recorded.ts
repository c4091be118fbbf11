import type { HttpAnswer } from './dialect.js'

/** Describe the connection or the encoding of one hop (RFC 9110 7.6.1), or belong to one caller alone. */
const DROPPED_HEADERS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** An answer, and whether the request it came to asked for a stream. */
export interface Recorded extends HttpAnswer {
  readonly askedStream: boolean
}

/** Reads a response to its end: bytes decoded by fetch, headers as far as they are true for every caller. */
export async function readAnswer(response: Response): Promise<HttpAnswer> {
  const body = new Uint8Array(await response.arrayBuffer())
  return { ...headOf(response), body }
}

/** All of a response but its body. */
export function headOf(response: Response): Omit<HttpAnswer, 'body'> {
  const headers = [...response.headers].filter(([name]) => !DROPPED_HEADERS.has(name))
  return { status: response.status, headers }
}

/** What is left of an answer that was not kept: whoever wants one makes a call of its own. */
export const NOT_KEPT: Recorded = { status: 200, headers: [], body: new Uint8Array(), askedStream: true }
