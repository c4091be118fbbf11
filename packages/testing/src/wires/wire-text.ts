import { randomBytes } from 'node:crypto'

/** A random identifier: `msg_01…`, `chatcmpl-…`, as the prefix says. */
export function wireId(prefix: string): string {
  return `${prefix}${randomBytes(11).toString('hex')}`
}

/** About four characters to a token, never zero: plausible, and the same for the same text. */
export function tokens(value: unknown): number {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? '')
  return Math.max(1, Math.ceil(text.length / 4))
}

/** Cuts after each space, so that a text arrives word by word and joins to itself. */
export function words(text: string): string[] {
  return text.match(/\S*\s+|\S+/g) ?? []
}

/** Now, in the seconds that APIs count in. */
export function epochSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

/** An object of JSON, as opposed to a list, a scalar or nothing. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
