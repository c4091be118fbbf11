import type { JsonObject } from '../json.js'
import type { HttpRequest, Identity } from './dialect.js'

/** A request that has been read. */
export interface Identified extends Identity {
  /** Its whole body. */
  readonly json: JsonObject
}

/**
 * All that makes a request the same as another. Members are compared, not letters: their order, spaces and escapes
 * change nothing. Where JSON.parse would hide a difference, what it hides counts as well: the digits of a number that
 * it rounds; and the whole text where an object has a name twice, since nobody knows which of them the provider takes.
 */
export function requestPayload(
  { url, body: text }: HttpRequest,
  { json, headers, body }: Identified,
  ignore: readonly string[] = [],
): unknown {
  const kept = Object.fromEntries(Object.entries(body).filter(([name]) => !ignore.includes(name)))
  const bare = withoutStrings(text)
  const rounded = (bare.match(/-?\d[\d.eE+-]*/g) ?? []).filter(isRounded)
  const hasTwins = (bare.match(/""\s*:/g) ?? []).length !== membersOf(json)
  return {
    url,
    headers,
    body: kept,
    ...(rounded.length > 0 && { rounded }),
    ...(hasTwins && { exactly: text }),
  }
}

/** Doubles have at least 15 digits; one with more is safe where it is written as it would be written again. */
function isRounded(literal: string): boolean {
  return literal.replaceAll(/\D/g, '').length > 15 && String(Number(literal)) !== literal
}

/** The JSON with each string, names too, as `""`. No regular expression: a string may be as long as a book. */
function withoutStrings(text: string): string {
  let bare = ''
  let from = 0
  for (;;) {
    const open = text.indexOf('"', from)
    if (open < 0) return bare + text.slice(from)
    bare += `${text.slice(from, open)}""`
    from = endOfString(text, open + 1)
  }
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
