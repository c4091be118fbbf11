import type { Dialect } from '../dialect/dialect.js'

/**
 * Request headers that never change the answer: an SDK's report on itself, traces, request ids, the encoding and the
 * connection of one hop. Every other header is in the key, because nobody can say that it is harmless.
 */
const HARMLESS = new Set([
  // The SDK's report on itself, its retries and its helpers.
  'user-agent',
  'x-stainless-arch',
  'x-stainless-async',
  'x-stainless-custom-poll-interval',
  'x-stainless-helper',
  'x-stainless-helper-method',
  'x-stainless-lang',
  'x-stainless-os',
  'x-stainless-package-version',
  'x-stainless-poll-helper',
  'x-stainless-raw-response',
  'x-stainless-read-timeout',
  'x-stainless-retry-count',
  'x-stainless-runtime',
  'x-stainless-runtime-version',
  'x-stainless-stream-helper',
  'x-stainless-timeout',
  'anthropic-dangerous-direct-browser-access',
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'x-amz-user-agent',
  'x-goog-api-client',
  // Traces: W3C Trace Context and Baggage, B3, and those of single vendors.
  'traceparent',
  'tracestate',
  'baggage',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'elastic-apm-traceparent',
  'grpc-trace-bin',
  'langsmith-trace',
  'newrelic',
  'sentry-trace',
  'uber-trace-id',
  'x-amzn-trace-id',
  'x-cloud-trace-context',
  'x-datadog-origin',
  'x-datadog-parent-id',
  'x-datadog-sampling-priority',
  'x-datadog-tags',
  'x-datadog-trace-id',
  // Ids of one request.
  'correlation-id',
  'request-id',
  'x-amzn-request-id',
  'x-amzn-requestid',
  'x-client-request-id',
  'x-correlation-id',
  'x-ms-client-request-id',
  'x-request-id',
  // The key itself.
  'idempotency-key',
  // Encoding, length and connection of one hop (RFC 9110, 7.6.1).
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Media types a JSON API answers with; which of them it is, the `stream` member of the body decides. */
const ACCEPTED = new Set(['*/*', 'application/*', 'application/json', 'text/event-stream'])

/** Headers that are harmless with some values only. */
const HARMLESS_VALUES = new Map<string, (value: string) => boolean>([
  ['accept', (value) => membersOf(value).every((one) => ACCEPTED.has(one.toLowerCase()))],
  // The body has been read as exactly this.
  ['content-type', (value) => /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i.test(value)],
])

/** Words that make a header a credential by its name, e.g. `x-portkey-api-key`, `cookie`, `x-session-token`. */
const CREDENTIAL_NAME =
  /auth|token|key|secret|passw|passcode|credential|cookie|session|jwt|bearer|signature|(?:^|[-_])(?:pat|sid|sig|hmac|csrf|xsrf)(?:[-_]|$)/

/** How single headers count, beside the rules that hold for all requests. */
export interface HeaderRules {
  readonly dialect: Pick<Dialect, 'credentialHeaders' | 'setHeaders'>
  readonly ignoreHeaders: readonly string[]
  readonly scopeHeaders: readonly string[]
}

/**
 * The headers that are part of the key: all but the harmless ones, those the caller ignores, and the credentials of the
 * dialect, which are the scope's.
 */
export function headersInKey(
  headers: Headers,
  { dialect, ignoreHeaders, scopeHeaders }: HeaderRules,
): readonly (readonly [name: string, value: string | readonly string[]])[] {
  const ignored = lowerCase(ignoreHeaders)
  const scoped = lowerCase(scopeHeaders)
  const isInKey = ([name, value]: [string, string]) => {
    if (scoped.has(name)) return true
    if (isMadeUpKey(value)) return false
    const isHarmless = HARMLESS.has(name) || HARMLESS_VALUES.get(name)?.(value)
    return !isHarmless && !ignored.has(name) && !dialect.credentialHeaders.includes(name)
  }
  // A list, sorted by name: a name may come twice.
  return [...headers]
    .filter(isInKey)
    .map(([name, value]) => [name, dialect.setHeaders?.includes(name) ? setOf(value) : value])
}

/**
 * Whose request it is: everything in its headers that is a credential, as one text. Undefined where neither a header
 * that the dialect knows as its credential nor one of `scopeHeaders` has a value: a session cookie alone does not say
 * whose account pays.
 */
export function credentialIn(headers: Headers, rules: HeaderRules): string | undefined {
  const { dialect, ignoreHeaders, scopeHeaders } = rules
  const ignored = lowerCase(ignoreHeaders)
  const scoped = lowerCase(scopeHeaders)
  const isKnown = (name: string) => dialect.credentialHeaders.includes(name) || scoped.has(name)
  const isCredential = (name: string) => isKnown(name) || (CREDENTIAL_NAME.test(name) && !HARMLESS.has(name))
  const shown = [...headers].filter(
    ([name, value]) =>
      !isEmpty(value) &&
      isCredential(name) &&
      (scoped.has(name) || !(ignored.has(name) || isMadeUpKey(value))),
  )
  return shown.some(([name]) => isKnown(name)) ? JSON.stringify(shown) : undefined
}

/** What the headers of `scopeHeaders` say, as one text; undefined where none of them has a value. */
export function scopedIn(
  headers: Headers,
  { scopeHeaders }: Pick<HeaderRules, 'scopeHeaders'>,
): string | undefined {
  const scoped = lowerCase(scopeHeaders)
  const shown = [...headers].filter(([name, value]) => !isEmpty(value) && scoped.has(name))
  return shown.length > 0 ? JSON.stringify(shown) : undefined
}

/** An empty credential, because a variable was not set, say. It does not tell whose request it is. */
function isEmpty(value: string): boolean {
  return /^(?:basic|bearer)?$/i.test(value)
}

/**
 * Whether a key is one that an SDK made up, a random one for each call: it says nothing of what is the same. Those
 * generated by Stainless do that, where a subclass names an `idempotencyHeader`.
 */
export function isMadeUpKey(key: string | undefined): boolean {
  return key !== undefined && /^stainless-node-retry-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(key)
}

/** Whether an SDK says that this is a further try; those generated by Stainless do (OpenAI, Anthropic). */
export function isRetryIn(headers: Headers): boolean {
  return Number(headers.get('x-stainless-retry-count') ?? 0) > 0
}

/** A list whose order, spaces and repetitions change nothing. */
function setOf(value: string): string[] {
  return [...new Set(membersOf(value))].sort()
}

function membersOf(value: string): string[] {
  return value
    .split(',')
    .map((member) => member.trim())
    .filter(Boolean)
}

function lowerCase(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()))
}
