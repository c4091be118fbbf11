import { eventText, type HttpAnswer, isObject, type JsonObject, parseObject } from '@idem/core'
import { textOf } from '../streams.js'

/**
 * The stream that builds up this completion, in the chunks the API would send where `include_usage` is asked for, each
 * text in one piece. Nothing is added that is not in the completion.
 * @throws for a body that is not a completion
 */
export function expand(answer: HttpAnswer): HttpAnswer {
  const { choices, usage, ...completion } = parseObject(textOf(answer))
  if (!Array.isArray(choices)) throw new TypeError('not a completion')
  const head = { ...completion, object: 'chat.completion.chunk' }
  const isCounted = usage !== undefined
  const chunks = choices
    .flatMap(choiceChunks)
    .map((choice) => ({ ...head, choices: [choice], ...(isCounted && { usage: null }) }))
  const isLast = usage || chunks.length === 0
  const last = { ...head, choices: [], ...(isCounted && { usage }) }
  const events = [...chunks, ...(isLast ? [last] : [])].map((chunk) => eventText('', JSON.stringify(chunk)))
  return { ...answer, body: Buffer.from(`${events.join('')}${eventText('', '[DONE]')}`) }
}

/** One choice: how its message begins, its text, its tool calls one after the other, why it ended. */
function choiceChunks(choice: unknown): JsonObject[] {
  if (!isObject(choice) || !isObject(choice.message)) throw new TypeError('not a choice')
  const { index, message, finish_reason, logprobs, ...rest } = choice
  const { tool_calls: calls, ...texts } = message
  const start = beginning(texts)
  const others = Object.fromEntries(Object.entries(texts).filter(([name, value]) => value !== start[name]))
  const running = { index, ...(logprobs !== undefined && { logprobs: null }), finish_reason: null }
  return [
    { ...running, delta: start },
    // Not in the first chunk, where the SDK would count the logprobs twice.
    ...(logprobs || Object.keys(others).length > 0 ? [{ ...running, delta: others, logprobs }] : []),
    ...(Array.isArray(calls) ? callDeltas(calls) : []).map((delta) => ({ ...running, delta })),
    { ...running, delta: {}, finish_reason, ...rest },
  ]
}

/** A message before its text: the role, a text that is empty or not there, and what else is null. */
function beginning({ role, content, ...rest }: JsonObject): JsonObject {
  const nulls = Object.entries(rest).filter(([, value]) => value === null || value === undefined)
  const refusal = typeof rest.refusal === 'string' && { refusal: null }
  const text = content !== undefined && { content: typeof content === 'string' ? '' : null }
  return { ...(role !== undefined && { role }), ...text, ...refusal, ...Object.fromEntries(nulls) }
}

/** A call of a function begins without its arguments; one of any other kind comes whole. */
function callDeltas(calls: readonly unknown[]): JsonObject[] {
  const deltas = calls.flatMap((call, index): JsonObject[] => {
    if (!isObject(call)) throw new TypeError('not a tool call')
    const { function: called } = call
    if (!isObject(called) || !called.arguments) return [{ index, ...call }]
    return [
      { index, ...call, function: { ...called, arguments: '' } },
      { index, function: { arguments: called.arguments } },
    ]
  })
  // Without a call there is only the list.
  return deltas.length > 0 ? deltas.map((delta) => ({ tool_calls: [delta] })) : [{ tool_calls: [] }]
}
