import { createHash } from 'node:crypto'
import { isPlain, unfitForJson } from '../util/json.js'
import { canonical } from './key.js'
import type { Steps } from './steps.js'

/** How many values are written in one step, and how many characters of one text. */
const VALUES = 2_000
const CHARACTERS = 32 * 1024
/** How many containers may be open that are too large for one step. */
const MAX_DEPTH = 200

/**
 * The digest of JSON as `payloadDigest` gives it, in steps.
 * @throws for what JSON cannot hold, and for what is nested too deeply
 */
export function* digestSteps(payload: unknown): Steps<string> {
  const writer = new Writer()
  yield* writer.write(payload, 0)
  return writer.digest()
}

class Writer {
  readonly #hash = createHash('sha256')
  #text = ''

  digest(): string {
    return this.#hash.update(this.#text).digest('base64url')
  }

  /** Writes a value as `canonical` does. */
  *write(value: unknown, depth: number): Steps<void> {
    if (this.#isWritten(value)) return
    yield
    if (typeof value === 'string') return yield* this.#writeText(value)
    if (typeof value !== 'object' || value === null) return
    if (depth === MAX_DEPTH) throw new RangeError('nested too deeply')
    if (!isPlain(value)) throw new TypeError('not JSON')
    if (Array.isArray(value)) yield* this.#writeItems(value, depth + 1)
    else yield* this.#writeMembers(value as Record<string, unknown>, depth + 1)
  }

  *#writeItems(items: readonly unknown[], depth: number): Steps<void> {
    this.#add('[')
    for (let index = 0; index < items.length; index++) {
      if (index > 0) this.#add(',')
      if (index % VALUES === 0) yield
      if (!this.#isWritten(items[index])) yield* this.write(items[index], depth)
    }
    this.#add(']')
  }

  *#writeMembers(object: Record<string, unknown>, depth: number): Steps<void> {
    let isFirst = true
    let count = 0
    this.#add('{')
    for (const name of Object.keys(object).sort()) {
      const member = object[name]
      if (member === undefined) continue
      if (!isFirst) this.#add(',')
      isFirst = false
      if (++count % VALUES === 0) yield
      if (!this.#isWritten(name)) yield* this.#writeText(name)
      this.#add(':')
      if (!this.#isWritten(member)) yield* this.write(member, depth)
    }
    this.#add('}')
  }

  /** A text that is too long for one step. A character of two code units stays whole. */
  *#writeText(text: string): Steps<void> {
    this.#add('"')
    for (let from = 0; from < text.length; ) {
      let to = from + CHARACTERS
      if (/[\ud800-\udbff]/.test(text[to - 1] ?? '')) to++
      this.#add(JSON.stringify(text.slice(from, to)).slice(1, -1))
      from = to
      yield
    }
    this.#add('"')
  }

  /** Writes what is small enough for one step. */
  #isWritten(value: unknown): boolean {
    if (left(value, VALUES) < 0) return false
    const problem = unfitForJson(value, { exact: false })
    if (problem) throw new TypeError(`A payload must be JSON; found ${problem}.`)
    this.#add(typeof value === 'object' ? canonical(value) : JSON.stringify(value))
    return true
  }

  #add(text: string): void {
    this.#text += text
    if (this.#text.length < CHARACTERS) return
    this.#hash.update(this.#text)
    this.#text = ''
  }
}

/** How much is left of `budget` when this value is taken from it; below 0 if it is more. A value is 1, its text is more. */
function left(value: unknown, budget: number): number {
  if (typeof value === 'string') return budget - 1 - value.length / (CHARACTERS / VALUES)
  if (typeof value !== 'object' || value === null) return budget - 1
  let rest = budget - 1
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && rest >= 0; index++) rest = left(value[index], rest)
    return rest
  }
  for (const name in value) {
    if (rest < 0) break
    rest = left((value as Record<string, unknown>)[name], left(name, rest))
  }
  return rest
}
