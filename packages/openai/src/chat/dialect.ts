import { type Assessment, type Dialect, isObject, type JsonObject } from '@idem/core'
import { errorBody } from '../errors.js'
import { prices } from '../prices.js'
import { identityOf, isPostTo, withoutSwitches } from '../request.js'
import { usageOf } from '../usage.js'
import { chatStreams } from './streams.js'

/** Reasons to finish that say the choice is whole. Not `content_filter`, nor what is not known yet. */
const STORED_REASONS = new Set(['stop', 'length', 'tool_calls', 'function_call'])

/**
 * The Chat Completions API (`POST …/chat/completions`): OpenAI's, Azure's, and whoever else speaks it.
 *
 * The key covers the URL, the body, and the headers that change the answer. A stream and a whole completion are one
 * where the stream has the usage too (`stream_options: { include_usage: true }`); a stream without it says less than a
 * completion, so that it has a record of its own. `include_obfuscation` pads chunks on the way to this process, and is
 * in no key.
 */
export const chatDialect: Dialect = {
  door: 'chat',

  matches: (request) => isPostTo('/chat/completions', request),

  identify(headers, body) {
    const identity = identityOf(headers, withoutSwitches(body, ['include_usage', 'include_obfuscation']))
    const { stream_options: options } = body
    const hasUsage = isObject(options) && options.include_usage === true
    if (!identity.streaming || hasUsage) return identity
    return { ...identity, body: { ...identity.body, stream: true } }
  },

  assess({ choices, model, usage }) {
    if (!Array.isArray(choices)) throw new TypeError('not a completion')
    return { keep: keepFor(choices), model: String(model), usage: usageOf(usage) }
  },

  streams: chatStreams,
  prices,
  errorBody,
}

interface Choice {
  readonly finish_reason: string
  readonly message: JsonObject
}

function keepFor(choices: readonly unknown[]): Assessment['keep'] {
  if (choices.length === 0 || !choices.every(isWhole)) return 'share'
  return choices.some(asksForTools) ? 'tool-calls' : 'store'
}

/** Not a refusal, which the next try may not be, nor audio, which is known to the server by an id for a while only. */
function isWhole(choice: unknown): choice is Choice {
  if (!isObject(choice) || !isObject(choice.message)) return false
  const { refusal, audio } = choice.message
  return !refusal && !audio && STORED_REASONS.has(String(choice.finish_reason))
}

/** A call that the request left no choice about finishes with `stop`. */
function asksForTools(choice: Choice): boolean {
  const { tool_calls: calls, function_call: call } = choice.message
  const hasCalls = Boolean(call) || (Array.isArray(calls) && calls.length > 0)
  return hasCalls || ['tool_calls', 'function_call'].includes(choice.finish_reason)
}
