import type { JsonObject } from '../util/json.js'

/** What an answer used, as the provider counted it. What it did not count is 0. */
export interface Usage {
  /** Input tokens of the plain price: neither written to nor read from the provider's prompt cache. */
  readonly input: number
  /** Output tokens, thinking included. */
  readonly output: number
  /** Input tokens written to the prompt cache for 5 minutes. */
  readonly cacheWrite5m: number
  /** Input tokens written to the prompt cache for an hour. */
  readonly cacheWrite1h: number
  /** Input tokens read from the prompt cache. */
  readonly cacheRead: number
  /** The part of the output tokens that was thinking (reasoning). */
  readonly thinking: number
  /** Searches the provider made on the web. */
  readonly webSearches: number
  /** Pages the provider fetched from the web. */
  readonly webFetches: number
}

export const NO_USAGE: Usage = {
  input: 0,
  output: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  cacheRead: 0,
  thinking: 0,
  webSearches: 0,
  webFetches: 0,
}

/** All tokens: of the input, whatever they cost, and of the output. */
export function tokensOf({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Usage): number {
  return input + output + cacheWrite5m + cacheWrite1h + cacheRead
}

/** The counts that a dialect or a record gives; anything that is not a count becomes 0. */
export function usageOf(counts: object): Usage {
  const named = Object.entries(NO_USAGE).map(([name, none]) => {
    const count = (counts as Record<string, unknown>)[name]
    return [name, isCount(count) ? count : none]
  })
  return Object.fromEntries(named) as Usage
}

/** Whether each kind that is known is a count, or absent. */
export function isCounts(counts: JsonObject): boolean {
  return Object.keys(NO_USAGE).every((name) => counts[name] === undefined || isCount(counts[name]))
}

/** A whole number from 0 on that is exact. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
