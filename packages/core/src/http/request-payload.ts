import { type JsonObject, parseObject } from '../json.js'
import type { Dialect, HttpRequest, Identity } from './dialect.js'

/** A request that has been read. */
export interface Identified extends Identity {
  /** Its whole body. */
  readonly json: JsonObject
}

/**
 * All that makes a request the same as another. Members are compared, not letters: their order, spaces and escapes
 * change nothing. Where JSON.parse would hide a difference it is not hidden here: a number that it rounds counts by its
 * digits; and where an object has a name twice the whole text counts, since nobody knows which one the provider takes.
 * @throws for a body that is nested too deeply to be followed
 */
export function requestPayload(
  { url, headers: sent, body: text }: HttpRequest,
  { json, headers, body }: Identified,
  { dialect, ignore }: { readonly dialect: Pick<Dialect, 'identify'>; readonly ignore: readonly string[] },
): unknown {
  const parts = split(text)
  const isRounding = parts.some((part, index) => isBare(index) && hasRounded(part))
  const exact = isRounding ? dialect.identify(sent, parseObject(withDigits(parts))).body : body
  const kept = Object.fromEntries(Object.entries(exact).filter(([name]) => !ignore.includes(name)))
  const hasTwins = namesIn(parts) !== membersOf(json)
  return { url, headers, body: kept, ...(hasTwins && { exactly: text }) }
}

/** A number that may have more digits than a double. */
const LONG_NUMBER = /-?\d[\d.eE+-]{15,}/g

/** Whether it is not written again as it is written here: another may be rounded to the same. */
function isRounded(literal: string): boolean {
  return String(Number(literal)) !== literal
}

function hasRounded(part: string): boolean {
  return part.length > 15 && (part.match(LONG_NUMBER) ?? []).some(isRounded)
}

/** Each number that would be rounded as a text of its digits, which no text of the request is. */
function withDigits(parts: readonly string[]): string {
  const marked = (literal: string) =>
    isRounded(literal) ? JSON.stringify(`\u0000number ${literal}`) : literal
  return parts.map((part, index) => (isBare(index) ? part.replaceAll(LONG_NUMBER, marked) : part)).join('')
}

/** JSON as what is outside its strings and its strings, in turns. No regular expression: a string may be a book. */
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

/** How many names of members there are: strings before a colon. */
function namesIn(parts: readonly string[]): number {
  return parts.filter((part, index) => index > 0 && isBare(index) && part.trimStart().startsWith(':')).length
}

/** Where the string is over that goes on at `from`: after the first quote that is not escaped. */
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
