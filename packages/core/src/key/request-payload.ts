import type { Dialect, HttpRequest, Identity } from '../dialect/dialect.js'
import { isObject, type JsonObject } from '../util/json.js'
import { withoutFields } from './body-fields.js'
import { endOfString } from './json-scan.js'
import { parseSteps } from './json-steps.js'
import { type HeaderRules, headersInKey } from './request-headers.js'
import type { Steps } from './steps.js'

/** A body that has been read. */
export interface ReadBody {
  readonly json: JsonObject
  /** Whether JSON.parse makes another number of one of its numbers. */
  readonly isRounding: boolean
  /** Whether an object in it has a name twice. */
  readonly hasTwins: boolean
}

/** A request whose body has been read. */
export interface Identified extends Identity, ReadBody {}

/** What is left out of the key, and who knows what the body means. */
export interface KeyRules extends HeaderRules {
  readonly dialect: HeaderRules['dialect'] & Pick<Dialect, 'identify'>
  readonly ignoreBodyFields: readonly string[]
}

/**
 * Reads a body, and what JSON.parse would hide of it.
 * @param piece how much is parsed in one step, in UTF-16 code units
 * @throws unless it is a JSON object
 */
export function* readSteps(text: string, piece?: number): Steps<ReadBody> {
  let isRounding = false
  let names = 0
  let members = 0
  const json = yield* parseSteps(
    text,
    {
      read(inner, open, close) {
        const parts = split(inner)
        isRounding ||= parts.some((part, index) => isBare(index) && hasRounded(part))
        names += namesIn(parts)
        const value: unknown = JSON.parse(open + inner + close)
        members += membersOf(value)
        // Those of a part of an object count when it is whole: another part may have the same names.
        if (open === '{') members -= Object.keys(value as object).length
        return value
      },
      assembled(object, single) {
        names += single
        members += Object.keys(object).length
      },
    },
    piece,
  )
  return { json: objectIn(json), isRounding, hasTwins: names !== members }
}

function objectIn(json: unknown): JsonObject {
  if (!isObject(json)) throw new TypeError('not a JSON object')
  return json
}

/**
 * All that makes a request the same as another. Members are compared, not letters: their order, spaces and escapes
 * change nothing. Where JSON.parse would hide a difference it is not hidden here: a number that it rounds counts by its
 * digits; and where an object has a name twice the whole text counts, since nobody knows which one the provider takes.
 * @throws for a body that is nested too deeply to be followed
 */
export function* requestPayload(
  { url, method, headers, body: text, init = {} }: HttpRequest,
  { body, isRounding, hasTwins }: Pick<Identified, 'body' | 'isRounding' | 'hasTwins'>,
  rules: KeyRules,
): Steps<unknown> {
  const kept = (all: JsonObject) => withoutFields(all, rules.ignoreBodyFields)
  const exact = isRounding ? yield* kept(rules.dialect.identify(yield* digitsIn(text)).body) : {}
  const hasDigits = isRounding && (yield* hasMark(exact))
  return {
    url: withoutFragment(url),
    method,
    headers: headersInKey(headers, rules),
    body: hasDigits ? exact : yield* kept(body),
    // Only present if it says something, so that a plain fetch and an SDK's middleware make the same key.
    ...(Object.keys(init).length > 0 && { init }),
    // Marks a body with marked numbers in it, so that it never equals a body without.
    ...(hasDigits && { digits: true }),
    // A lone surrogate that is not escaped is sent as another character.
    ...((hasTwins || !text.isWellFormed()) && { exactly: text }),
  }
}

/** The body with the digits of the numbers that would be rounded. */
function* digitsIn(text: string): Steps<JsonObject> {
  const read = (inner: string, open: string, close: string) =>
    JSON.parse(open + withDigits(split(inner)) + close)
  return objectIn(yield* parseSteps(text, { read }))
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
function* hasMark(values: unknown): Steps<boolean> {
  const left = [values]
  for (let count = 1; left.length > 0; count++) {
    const value = left.pop()
    if (typeof value === 'string' && value.startsWith('\u0000') && value[1] !== '\u0000') return true
    if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) left.push(one)
    if (count % VALUES === 0) yield
  }
  return false
}

/** How many values are looked at in one step. */
const VALUES = 10_000

/**
 * Splits JSON into its strings and what is between them, in turns. Not by a regular expression: a string may be a book.
 */
function split(text: string): string[] {
  const parts: string[] = []
  let from = 0
  for (;;) {
    const open = text.indexOf('"', from)
    const end = open < 0 ? undefined : endOfString(text, open + 1)
    if (end === undefined) {
      parts.push(text.slice(from))
      return parts
    }
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

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const members = Object.values(value)
  const own = Array.isArray(value) ? 0 : members.length
  return members.reduce((sum: number, member) => sum + membersOf(member), own)
}
