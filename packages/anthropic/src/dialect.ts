import { type Assessment, credentialIn, type Dialect, isRetryIn, type JsonObject, setIn } from '@idem/core'
import { errorType } from './errors.js'
import { prices } from './prices.js'
import { messagesStreams } from './streams.js'
import { usageOf } from './usage.js'

/** Headers that change the answer. All others describe the client, the attempt or the trace. */
const ANSWER_HEADERS = ['anthropic-version', 'anthropic-user-profile-id', 'anthropic-workspace-id']

const CREDENTIAL_HEADERS = ['authorization', 'x-api-key']

/**
 * Ways to stop that say the answer is whole. Not `pause_turn`, which the next request is to go on from, nor `refusal`,
 * which may carry a token that can be used once, nor what is not known yet.
 */
const STORED_STOP_REASONS = new Set(['end_turn', 'stop_sequence', 'max_tokens'])

/** Request members that tie the answer to something on the server that can be used once, or changes. */
const STATEFUL_MEMBERS = ['container', 'thread', 'fallback_credit_token']

/**
 * The Messages API (`POST …/v1/messages`), first party and on every backend the SDK adapts. Pass it to
 * `createIdem({ dialects: [messagesDialect] })` for `idem.fetch`; the middleware brings its own.
 *
 * The key covers the URL, the body without `stream`, and the headers that change the answer: whatever is not known to
 * be harmless is in it, so that a parameter of tomorrow cannot cause a false hit.
 */
export const messagesDialect: Dialect = {
  door: 'messages',

  matches: ({ method, url }) => method === 'POST' && new URL(url).pathname.endsWith('/v1/messages'),

  identify(headers, { stream, ...body }) {
    return {
      body,
      headers: answerHeaders(headers),
      credential: credentialIn(headers, CREDENTIAL_HEADERS),
      streaming: stream === true,
      isSampled: isSampled(body),
      isRetry: isRetryIn(headers),
    }
  },

  assess(message, body) {
    const { type, model, usage } = message
    if (type !== 'message') throw new TypeError('not a message')
    return { keep: keepFor(message, body), model: String(model), usage: usageOf(usage) }
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

function answerHeaders(headers: Headers): JsonObject {
  const named = ANSWER_HEADERS.map((name) => [name, headers.get(name) ?? undefined])
  return { ...Object.fromEntries(named), 'anthropic-beta': setIn(headers, 'anthropic-beta') }
}

/** Whoever names a temperature over 0, or tokens to choose from, means the answers to differ. */
function isSampled({ temperature = 0, top_p = 1, top_k = null }: JsonObject): boolean {
  return Number(temperature) > 0 || (top_p !== null && Number(top_p) !== 1) || top_k !== null
}

function keepFor(message: JsonObject, body: JsonObject): Assessment['keep'] {
  const isStateful = [...STATEFUL_MEMBERS.map((name) => body[name]), message.container].some(
    (one) => (one ?? null) !== null,
  )
  if (isStateful) return 'share'
  // Its effects are the caller's to repeat or not.
  if (message.stop_reason === 'tool_use') return 'tool-calls'
  return STORED_STOP_REASONS.has(String(message.stop_reason)) ? 'store' : 'share'
}
