import type { Usage } from '@idem/core'
import { isObject, type JsonObject } from '@idem/core/dialect'

/**
 * What a message used. Cache writes are told apart by how long they last where the API does; before it did, all of them
 * lasted 5 minutes.
 */
export function usageOf(usage: unknown): Partial<Usage> | undefined {
  if (!isObject(usage)) return undefined
  const writes = count(usage, 'cache_creation_input_tokens')
  const byLife = member(usage, 'cache_creation')
  const cacheWrite1h = count(byLife, 'ephemeral_1h_input_tokens')
  return {
    input: count(usage, 'input_tokens'),
    output: count(usage, 'output_tokens'),
    cacheWrite5m:
      'ephemeral_5m_input_tokens' in byLife
        ? count(byLife, 'ephemeral_5m_input_tokens')
        : writes - cacheWrite1h,
    cacheWrite1h,
    cacheRead: count(usage, 'cache_read_input_tokens'),
    thinking: count(member(usage, 'output_tokens_details'), 'thinking_tokens'),
    webSearches: count(member(usage, 'server_tool_use'), 'web_search_requests'),
    webFetches: count(member(usage, 'server_tool_use'), 'web_fetch_requests'),
  }
}

/** Any count may be null or missing. */
function count(counts: JsonObject, name: string): number {
  return typeof counts[name] === 'number' ? counts[name] : 0
}

function member(usage: JsonObject, name: string): JsonObject {
  return isObject(usage[name]) ? usage[name] : {}
}
