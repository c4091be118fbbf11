import type { JsonObject } from '../json.js'
import type { HttpRequest, Identity } from './dialect.js'

/** Numbers that JSON.parse may round, so that two would look the same. */
const LONG_NUMBER = /\d{16}/
/** A string of JSON, and the colon after it where it is a name. */
const STRINGS = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g

/** A request that has been read. */
export interface Identified extends Identity {
  /** Its whole body. */
  readonly json: JsonObject
}

/**
 * All that makes a request the same as another. Members are compared, not letters: their order, spaces and escapes
 * change nothing. Where JSON.parse would hide a difference, in long numbers and names that come twice, every letter of
 * the body counts as well.
 */
export function requestPayload(
  { url, body: text }: HttpRequest,
  { json, headers, body }: Identified,
  ignore: readonly string[] = [],
): unknown {
  const kept = Object.fromEntries(Object.entries(body).filter(([name]) => !ignore.includes(name)))
  const isExact = !LONG_NUMBER.test(text) && !hasTwins(text, json)
  return { url, headers, body: kept, ...(!isExact && { exactly: text }) }
}

/** Whether an object of this JSON has a name twice: parsing keeps the last, and nobody knows what the provider does. */
function hasTwins(text: string, json: JsonObject): boolean {
  let written = 0
  for (const [, colon] of text.matchAll(STRINGS)) if (colon) written++
  return written !== membersOf(json)
}

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const members = Object.values(value)
  const own = Array.isArray(value) ? 0 : members.length
  return members.reduce((sum: number, member) => sum + membersOf(member), own)
}
