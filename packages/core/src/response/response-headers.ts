import { InvalidArgumentError } from '../errors/caller-errors.js'
import { assertHeaderNames } from '../util/assert.js'

type Header = readonly [name: string, value: string]

/**
 * Response headers that describe the answer, and so are true for every caller it is given to. They are recorded and
 * replayed. All others tell of one caller, one moment or one connection (limits, organizations, cookies, dates), or are
 * not known: only the caller whose own call it was is given them.
 */
const ANSWER_HEADERS = new Set([
  // What the body is, and in which language.
  'content-type',
  'content-language',
  // Where an answer of a redirect that is not followed points to: without it such an answer says nothing.
  'location',
  // What the provider knows the answer by, for questions about it. SDKs show it as `_request_id`.
  'request-id', // Anthropic
  'x-request-id', // OpenAI, and most that speak its protocol
  'apim-request-id', // Azure
  'x-amzn-requestid', // AWS
  // Which model and which version of the API made it, and how long that took.
  'openai-model',
  'openai-version',
  'openai-processing-ms',
  'anthropic-version',
])

/** What SDKs decide by whether to try again, and when. Kept on errors, which are shared only with those waiting now. */
const ERROR_HEADERS = new Set(['retry-after', 'retry-after-ms', 'x-should-retry'])

/**
 * Headers of one connection, or of an encoding that `fetch` has decoded already: true for no caller (RFC 9110, 7.6.1).
 */
const HOP_HEADERS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Never given to another caller, even if `keepHeaders` names them. */
const COOKIES = new Set(['set-cookie', 'set-cookie2'])

/** The headers of an answer that another caller may be given. `keepHeaders` names more. */
export function sharedHeaders(
  status: number,
  headers: Iterable<Header>,
  keepHeaders: readonly string[] = [],
): Header[] {
  const isError = status < 200 || status > 299
  const more = new Set(keepHeaders.map((name) => name.toLowerCase()))
  return [...headers].filter(([given]) => {
    const name = given.toLowerCase()
    if (isNeverShared(name)) return false
    return ANSWER_HEADERS.has(name) || more.has(name) || (isError && ERROR_HEADERS.has(name))
  })
}

/** The headers of an answer for the caller whose own call it is. */
export function ownHeaders(headers: Iterable<Header>): Header[] {
  return [...headers].filter(([name]) => !HOP_HEADERS.has(name.toLowerCase()))
}

/** Whether a header is never given to another caller and never stored, even if `keepHeaders` names it. */
export function isNeverShared(name: string): boolean {
  return HOP_HEADERS.has(name.toLowerCase()) || COOKIES.has(name.toLowerCase())
}

/** @throws InvalidArgumentError unless it is a list of names of headers that can be kept */
export function assertKeepHeaders(value: unknown): asserts value is readonly string[] {
  assertHeaderNames(value, 'keepHeaders')
  const impossible = value.find(isNeverShared)
  if (impossible === undefined) return
  throw new InvalidArgumentError(
    `keepHeaders: ${impossible} cannot be kept: it is of one caller or one connection alone.`,
  )
}
