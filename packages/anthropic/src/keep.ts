import { type Assessment, isObject, type JsonObject } from '@idem/core/dialect'

/** Stop reasons of a whole answer. */
const STORED_STOP_REASONS = new Set<unknown>(['end_turn', 'stop_sequence', 'max_tokens'])

/**
 * Stop reasons that are known and not stored: the next request goes on from the answer, the answer may carry a token
 * that can be used once, or there was no room for an answer.
 */
const SHARED_STOP_REASONS = new Set<unknown>([
  'pause_turn',
  'refusal',
  'model_context_window_exceeded',
  'compaction',
])

/** Request members that tie the answer to something on the server that changes, or that can be used only once. */
const STATEFUL_MEMBERS = ['container', 'thread', 'fallback_credit_token']

type Kept = Pick<Assessment, 'keep' | 'doubt'>

/** Whether a message may be stored: only one that is known to be a whole answer. */
export function keepFor(message: JsonObject, body: JsonObject): Kept {
  if (message.error) return doubt('it tells of an error')
  const isMessage = message.role === 'assistant' && isObject(message.usage) && isContent(message.content)
  if (!isMessage) return doubt('its role, content or usage is missing')
  const isStateful = [...STATEFUL_MEMBERS.map((name) => body[name]), message.container].some(
    (one) => (one ?? null) !== null,
  )
  const { stop_reason: reason } = message
  if (isStateful || SHARED_STOP_REASONS.has(reason)) return { keep: 'share' }
  // It asks for tools: whether they run again is for the caller to decide.
  if (reason === 'tool_use') return { keep: 'tool-calls' }
  return STORED_STOP_REASONS.has(reason)
    ? { keep: 'store' }
    : doubt('it stopped for a reason that is not known')
}

function isContent(content: unknown): boolean {
  return Array.isArray(content) && content.every(isObject)
}

function doubt(doubt: string): Kept {
  return { keep: 'share', doubt }
}
