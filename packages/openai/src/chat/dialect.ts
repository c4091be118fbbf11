import { type Dialect, isObject } from '@idem/core/dialect'
import { errorBody } from '../errors.js'
import { prices } from '../prices.js'
import { identityOf, isPostTo, openaiHeaders, withoutSwitches } from '../request.js'
import { usageOf } from '../usage.js'
import { keepFor } from './keep.js'
import { chatStreams } from './streams.js'

/**
 * The Chat Completions API (`POST …/chat/completions`): OpenAI's, Azure's, and that of every server that speaks it.
 *
 * The key covers the URL, the body, and the headers. A stream and a whole completion are one where the stream has the
 * usage too (`stream_options: { include_usage: true }`); a stream without it says less than a completion, so that it
 * has a record of its own. `include_obfuscation` pads chunks on the way to this process, and is in no key.
 */
export const chatDialect: Dialect = {
  ...openaiHeaders,
  specVersion: 1,
  door: 'chat',

  matches: (request) => isPostTo('/chat/completions', request),

  identify(body) {
    if (!Array.isArray(body.messages)) throw new TypeError('no messages')
    const identity = identityOf(withoutSwitches(body, ['include_usage', 'include_obfuscation']))
    const { stream_options: options } = body
    const hasUsage = isObject(options) && options.include_usage === true
    if (!identity.streaming || hasUsage) return identity
    return { ...identity, body: { ...identity.body, stream: true } }
  },

  assess(completion, body) {
    const { choices, model, usage } = completion
    if (!Array.isArray(choices)) throw new TypeError('not a completion')
    return { ...keepFor(completion, body), model: String(model), usage: usageOf(usage) }
  },

  streams: chatStreams,
  prices,
  errorBody,
}
