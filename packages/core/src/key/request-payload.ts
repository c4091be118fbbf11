import type { Dialect, HttpRequest, Identity } from '../dialect/dialect.js'
import { type JsonObject, parseObject } from '../util/json.js'
import { withoutFields } from './body-fields.js'
import { type HeaderRules, headersInKey } from './request-headers.js'

/** A request whose body has been read. */
export interface Identified extends Identity {
  /** Its whole body. */
  readonly json: JsonObject
}

/** What is left out of the key, and who knows what the body means. */
export interface KeyRules extends HeaderRules {
  readonly dialect: HeaderRules['dialect'] & Pick<Dialect, 'identify'>
  readonly ignoreBodyFields: readonly string[]
}

/**
 * All that makes a request the same as another. Members are compared, not letters: their order, spaces and escapes
 * change nothing. Where JSON.parse would hide a difference it is not hidden here: a number that it rounds counts by its
 * digits; and where an object has a name twice the whole text counts, since nobody knows which one the provider takes.
 * @throws for a body that is nested too deeply to be followed
 */
export function requestPayload(
  { url, method, headers, body: text, init = {} }: HttpRequest,
  { json, body }: Identified,
  rules: KeyRules,
): unknown {
  const parts = split(text)
  const kept = (all: JsonObject) => withoutFields(all, rules.ignoreBodyFields)
  const isRounding = parts.some((part, index) => isBare(index) && hasRounded(part))
  const exact = isRounding ? kept(rules.dialect.identify(parseObject(withDigits(parts))).body) : {}
  const hasDigits = isRounding && hasMark(exact)
  const hasTwins = namesIn(parts) !== membersOf(json)
  return {
    url: withoutFragment(url),
    method,
    headers: headersInKey(headers, rules),
    body: hasDigits ? exact : kept(body),
    // Only present if it says something, so that a plain fetch and an SDK's middleware make the same key.
    ...(Object.keys(init).length > 0 && { init }),
    // Marks a body with marked numbers in it, so that it never equals a body without.
    ...(hasDigits && { digits: true }),
    // A lone surrogate that is not escaped is sent as another character.
    ...((hasTwins || !text.isWellFormed()) && { exactly: text }),
  }
}

/** The URL as it is sent: in its normal form, and without its fragment, which stays here. */
function withoutFragment(url: string): string {
  const sent = new URL(url)
  sent.hash = ''
  return sent.href
}

/** Numbers that a double may not hold: those with many digits, and those with an exponent. */
const RISKY_NUMBER = /-?\d[\d.eE+-]{15,}|-?\d[\d.]*[eE][+-]?\d+/g

/** Whether JSON.parse makes another number of it: rounded, too small to differ from 0, or too large. */
function isRounded(literal: string): boolean {
  return decimalOf(literal) !== decimalOf(String(Number(literal)))
}

/** A number by its digits and exponent: equal numbers give equal texts, different numbers different ones. */
function decimalOf(literal: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  // Not a finite number, or with an exponent far beyond all that a double can hold: never the same as one.
  if (whole === '' || exponent.length > 9) return literal
  const significant = withoutTrailingZeros(digits)
  if (significant === '') return '0'
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}

/** Not a regular expression: it would start again at each zero of a long run. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

function hasRounded(part: string): boolean {
  return part.length > 3 && (part.match(RISKY_NUMBER) ?? []).some(isRounded)
}

/**
 * Each number that would be rounded as a text of its digits, marked by one NUL before it. A text of the request that
 * begins with NUL is given another one, so that it is never taken for such a number.
 */
function withDigits(parts: readonly string[]): string {
  const marked = (literal: string) => (isRounded(literal) ? JSON.stringify(`\u0000${literal}`) : literal)
  return parts
    .map((part, index) =>
      isBare(index) ? part.replaceAll(RISKY_NUMBER, marked) : part.replace(/^"\\u0000/, '"\\u0000\\u0000'),
    )
    .join('')
}

/** Whether a marked number is left in these values: the ignored fields may have held the only one. */
function hasMark(value: unknown): boolean {
  if (typeof value === 'string') return value.startsWith('\u0000') && value[1] !== '\u0000'
  return typeof value === 'object' && value !== null && Object.values(value).some(hasMark)
}

/**
 * Splits JSON into its strings and what is between them, in turns. Not by a regular expression: a string may be a book.
 */
function split(text: string): string[] {
  const parts: string[] = []
  let from = 0
  for (;;) {
    const open = text.indexOf('"', from)
    if (open < 0) return [...parts, text.slice(from)]
    const end = endOfString(text, open + 1)
    parts.push(text.slice(from, open), text.slice(open, end))
    from = end
  }
}

function isBare(index: number): boolean {
  return index % 2 === 0
}

/** How many member names there are: strings before a colon. */
function namesIn(parts: readonly string[]): number {
  return parts.filter((part, index) => index > 0 && isBare(index) && part.trimStart().startsWith(':')).length
}

/** Where the string that `from` is inside of ends: after the first quote that is not escaped. */
function endOfString(text: string, from: number): number {
  let end = from
  for (;;) {
    end = text.indexOf('"', end) + 1
    let backslashes = 0
    while (text[end - 2 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return end
  }
}

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const members = Object.values(value)
  const own = Array.isArray(value) ? 0 : members.length
  return members.reduce((sum: number, member) => sum + membersOf(member), own)
}
