import type { HttpAnswer } from '../dialect/dialect.js'
import { ownHeaders, sharedHeaders } from './response-headers.js'

/** An answer as others get it, and whether its request asked for a stream. */
export interface Recorded extends HttpAnswer {
  readonly askedStream: boolean
  /** The reason the provider gave beside its status. */
  readonly statusText: string
  /** Where a redirect led to; absent where the URL of the request itself answered. */
  readonly redirectedTo?: string
  /** Whether it is a stream of events, as its owner found. Absent in older records: the content type says it. */
  readonly isStream?: boolean
  /** Set where a stream came to an end without its last event: callers have it, and it is not stored. */
  readonly isUnended?: boolean
}

/** All of a response but its body, for the caller whose own call it is. */
export type OwnHead = Omit<HttpAnswer, 'body'> & Pick<Response, 'statusText' | 'url' | 'redirected' | 'type'>

/** Reads a response to its end: bytes decoded by fetch, headers as far as they are true for every caller. */
export async function readAnswer(
  response: Response,
  keepHeaders?: readonly string[],
): Promise<Omit<Recorded, 'askedStream'>> {
  const body = new Uint8Array(await response.arrayBuffer())
  return { ...headOf(response, keepHeaders), body }
}

/** Everything of a response but its body that holds for every caller. */
export function headOf(
  response: Response,
  keepHeaders?: readonly string[],
): Omit<Recorded, 'body' | 'askedStream'> {
  const { status, statusText, url, redirected } = response
  const headers = sharedHeaders(status, response.headers, keepHeaders)
  return {
    status,
    statusText,
    headers,
    ...(redirected && URL.canParse(url) && { redirectedTo: withoutSecrets(url) }),
  }
}

/** Everything of a response but its body, as the provider sent it. */
export function ownHeadOf(response: Response): OwnHead {
  const { status, statusText, url, redirected, type } = response
  return { status, statusText, url, redirected, type, headers: ownHeaders(response.headers) }
}

/** A redirect may lead to a URL that is a credential: signed ones have it in their query. */
function withoutSecrets(href: string): string {
  const url = new URL(href)
  url.username = url.password = url.search = url.hash = ''
  return url.href
}

/** Stands for an answer that was not kept: other callers make their own calls. */
export const NOT_KEPT: Recorded = {
  status: 200,
  statusText: '',
  headers: [],
  body: new Uint8Array(),
  askedStream: true,
}
