import type { Usage } from '@idem/core'
import { isObject, type JsonObject } from '@idem/core/dialect'

/**
 * What an answer used. Chat and embeddings count `prompt_tokens` and `completion_tokens`, responses `input_tokens` and
 * `output_tokens`; in both, what was read from the prompt cache and written to it is part of the input.
 */
export function usageOf(usage: unknown): Partial<Usage> | undefined {
  if (!isObject(usage)) return undefined
  const ofInput = member(usage, 'prompt_tokens_details', 'input_tokens_details')
  const ofOutput = member(usage, 'completion_tokens_details', 'output_tokens_details')
  const cacheRead = count(ofInput, 'cached_tokens')
  const cacheWrite5m = count(ofInput, 'cache_write_tokens')
  return {
    input: Math.max(0, count(usage, 'prompt_tokens', 'input_tokens') - cacheRead - cacheWrite5m),
    output: count(usage, 'completion_tokens', 'output_tokens'),
    cacheRead,
    cacheWrite5m,
    thinking: count(ofOutput, 'reasoning_tokens'),
  }
}

/** The first of these counts that is a number. Any of them may be null or missing. */
function count(counts: JsonObject, ...names: readonly string[]): number {
  return names.map((name) => counts[name]).find((one) => typeof one === 'number') ?? 0
}

function member(usage: JsonObject, ...names: readonly string[]): JsonObject {
  return names.map((name) => usage[name]).find(isObject) ?? {}
}
