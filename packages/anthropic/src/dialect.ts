import type { Dialect, HttpRequest, Tokens } from '@idem/core'
import { errorType } from './errors.js'
import { parseObject } from './json.js'
import { messagesStreams } from './streams.js'

/** Headers that change the answer. All others describe the client, the attempt or the trace. */
const ANSWER_HEADERS = ['anthropic-version', 'anthropic-user-profile-id', 'anthropic-workspace-id']

const CREDENTIAL_HEADERS = ['authorization', 'x-api-key']

/** Numbers that JSON.parse may round, so that two would look the same: the body is then compared to the letter. */
const LONG_NUMBER = /\d{16}/

/** Ways to stop that say the answer is whole. Not `tool_use`: its effects are the caller's to repeat or not. */
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

  identify({ url, headers, body }) {
    const { stream, ...rest } = parseObject(body)
    const credentials = CREDENTIAL_HEADERS.map((name) => headers.get(name))
    return {
      payload: {
        url,
        headers: answerHeaders(headers),
        body: rest,
        ...(LONG_NUMBER.test(body) && { exactly: body }),
      },
      credential: credentials.some((one) => one !== null) ? JSON.stringify(credentials) : undefined,
      streaming: stream === true,
    }
  },

  assess(request, answer) {
    const message = parseObject(new TextDecoder().decode(answer.body))
    const whole = message.type === 'message' && STORED_STOP_REASONS.has(String(message.stop_reason))
    return { keep: whole && !isStateful(request, message) ? 'store' : 'share', ...tokensOf(message) }
  },

  streams: messagesStreams,

  errorBody({ code, status, message }) {
    return {
      type: 'error',
      error: { type: errorType(status), message, details: { error_code: code } },
      request_id: null,
    }
  },
}

/** Betas are a set: their order, spaces and repetitions change nothing. */
function answerHeaders(headers: Headers): Record<string, unknown> {
  const named = ANSWER_HEADERS.map((name) => [name, headers.get(name) ?? undefined])
  const betas = (headers.get('anthropic-beta') ?? '').split(',').map((beta) => beta.trim())
  return { ...Object.fromEntries(named), 'anthropic-beta': [...new Set(betas.filter(Boolean))].sort() }
}

function isStateful(request: HttpRequest, message: Record<string, unknown>): boolean {
  const body = parseObject(request.body)
  return (
    STATEFUL_MEMBERS.some((name) => (body[name] ?? null) !== null) || (message.container ?? null) !== null
  )
}

function tokensOf({ usage }: Record<string, unknown>): { tokens?: Tokens } {
  if (typeof usage !== 'object' || usage === null) return {}
  const count = (name: string) => Number((usage as Record<string, unknown>)[name] ?? 0)
  const input =
    count('input_tokens') + count('cache_creation_input_tokens') + count('cache_read_input_tokens')
  return { tokens: { input, output: count('output_tokens') } }
}
