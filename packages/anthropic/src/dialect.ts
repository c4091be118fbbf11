import type { Dialect, JsonObject } from '@idem/core/dialect'
import { errorType } from './errors.js'
import { keepFor } from './keep.js'
import { prices } from './prices.js'
import { messagesStreams } from './streams.js'
import { usageOf } from './usage.js'

/**
 * The Messages API (`POST …/v1/messages`), first party and on every backend the SDK adapts. Pass it to
 * `createIdem({ dialects: [messagesDialect] })` for `idem.fetch`; the middleware brings its own.
 *
 * The key covers the URL, the body without `stream`, and the headers: whatever is not known to be harmless is in it, so
 * that a parameter of tomorrow cannot cause a false hit.
 */
export const messagesDialect: Dialect = {
  specVersion: 1,
  door: 'messages',

  matches: ({ method, url }) => method === 'POST' && new URL(url).pathname.endsWith('/v1/messages'),

  identify(request) {
    const { stream, ...body } = request
    if (typeof body.model !== 'string' || !Array.isArray(body.messages)) throw new TypeError('no messages')
    // Any value but a boolean stays in the key: it may change more than how the answer is delivered.
    const isDelivery = stream === undefined || typeof stream === 'boolean'
    return { body: isDelivery ? body : request, streaming: stream === true, isSampled: isSampled(body) }
  },
  credentialHeaders: ['authorization', 'x-api-key'],
  setHeaders: ['anthropic-beta'],

  assess(message, body) {
    const { type, model, usage } = message
    if (type !== 'message') throw new TypeError('not a message')
    return { ...keepFor(message, body), model: String(model), usage: usageOf(usage) }
  },

  streams: messagesStreams,
  prices,

  errorBody({ code, status, message }) {
    return {
      type: 'error',
      error: { type: errorType(status), message, details: { error_code: code } },
      request_id: null,
    }
  },
}

/** A temperature over 0, or a choice of tokens, asks for answers that differ. */
function isSampled({ temperature = 0, top_p = 1, top_k = null }: JsonObject): boolean {
  return Number(temperature) > 0 || (top_p !== null && Number(top_p) !== 1) || top_k !== null
}
