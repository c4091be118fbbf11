import { type Assessment, isObject, type JsonObject } from '@idem/core/dialect'

/** Finish reasons of a whole choice. Not `content_filter`, and none that is unknown. */
const STORED_REASONS = new Set<unknown>(['stop', 'length', 'tool_calls', 'function_call'])

type Kept = Pick<Assessment, 'keep' | 'doubt'>

/** Whether a completion may be stored: only one that is known to answer this request. */
export function keepFor({ error, choices }: JsonObject, { n }: JsonObject): Kept {
  if (!Array.isArray(choices) || !choices.every(isChoice)) return doubt('one of its choices has no message')
  if (error || choices.some((one) => one.error || one.message.error)) return doubt('it tells of an error')
  const places = new Set(choices.map(({ index }) => index))
  const isComplete = places.size === choices.length && choices.every((_, place) => places.has(place))
  if (choices.length === 0 || !isComplete || choices.length !== (n ?? 1))
    return doubt('it does not have the choices that were asked for')
  if (choices.some(isWithheld)) return { keep: 'share' }
  if (!choices.every(({ finish_reason }) => STORED_REASONS.has(finish_reason))) {
    return doubt('a choice finished for a reason that is not known')
  }
  return { keep: choices.some(asksForTools) ? 'tool-calls' : 'store' }
}

function doubt(doubt: string): Kept {
  return { keep: 'share', doubt }
}

interface Choice extends JsonObject {
  readonly message: JsonObject
}

function isChoice(choice: unknown): choice is Choice {
  return isObject(choice) && isObject(choice.message)
}

/** A refusal, since the next try may not be refused. Or audio, which the server knows by an id for a while only. */
function isWithheld({ message: { refusal, audio }, finish_reason }: Choice): boolean {
  return Boolean(refusal) || Boolean(audio) || finish_reason === 'content_filter'
}

/** A call that the request itself demanded finishes with `stop`. */
function asksForTools({
  message: { tool_calls: calls, function_call: call },
  finish_reason,
}: Choice): boolean {
  const hasCalls = Boolean(call) || (Array.isArray(calls) && calls.length > 0)
  return hasCalls || finish_reason === 'tool_calls' || finish_reason === 'function_call'
}
