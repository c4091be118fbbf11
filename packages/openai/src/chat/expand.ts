import { isDeepStrictEqual } from 'node:util'
import { eventText, type HttpAnswer, isObject, type JsonObject, parseObject } from '@idem/core/dialect'
import { textOf } from '../streams.js'
import { fold } from './fold.js'

/**
 * The stream that builds up this completion, in the chunks the API would send where `include_usage` is asked for, each
 * text in one piece. Nothing is added that is not in the completion.
 * @throws for a body that is not a completion, and where its stream would not build up the same completion
 */
export function expand(answer: HttpAnswer): HttpAnswer {
  const completion = parseObject(textOf(answer))
  const stream = { ...answer, body: Buffer.from(streamOf(completion)) }
  // Anything `fold` would reject in a stream makes this one wrong, too.
  const built = parseObject(textOf(fold(stream)))
  if (!isDeepStrictEqual(comparable(built), comparable(completion))) {
    throw new TypeError('a completion that no stream builds up')
  }
  return stream
}

function streamOf({ choices, usage, ...completion }: JsonObject): string {
  if (!Array.isArray(choices)) throw new TypeError('not a completion')
  const head = { ...completion, object: 'chat.completion.chunk' }
  // After the first chunk the SDK reads facts about the completion only from chunks that have an id.
  const early = usage === undefined || !completion.id ? { usage } : { usage: null }
  const chunks = choices.flatMap(choiceChunks).map((choice) => ({ ...head, choices: [choice], ...early }))
  const last = usage && completion.id ? [{ ...head, choices: [], usage }] : []
  const events = [...chunks, ...last].map((chunk) => eventText('', JSON.stringify(chunk)))
  return `${events.join('')}${eventText('', '[DONE]')}`
}

/**
 * A completion without the parts that a stream never carries and no reader of one misses: its name, nulls in a message,
 * the index of a call.
 */
function comparable({ object = 'chat.completion', choices, ...completion }: JsonObject): JsonObject {
  const list = Array.isArray(choices) ? choices : []
  return { ...completion, object, choices: list.map((choice) => ({ ...choice, message: saidIn(choice) })) }
}

function saidIn({ message }: JsonObject): JsonObject {
  const { tool_calls: calls, ...rest } = isObject(message) ? message : {}
  const members = { ...rest, tool_calls: Array.isArray(calls) ? calls.map(withoutIndex) : calls }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => (value ?? null) !== null))
}

/** Some servers give the calls of a whole answer an index, too. Only their order counts. */
function withoutIndex(call: unknown): JsonObject {
  if (!isObject(call)) throw new TypeError('not a tool call')
  const { index: _, ...rest } = call
  return rest
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

/** A message before its text: the role, an empty or absent text, and the members that are null. */
function beginning({ role, content, ...rest }: JsonObject): JsonObject {
  const nulls = Object.entries(rest).filter(([, value]) => value === null || value === undefined)
  const refusal = typeof rest.refusal === 'string' && { refusal: null }
  const text = content !== undefined && { content: typeof content === 'string' ? '' : null }
  return { ...(role !== undefined && { role }), ...text, ...refusal, ...Object.fromEntries(nulls) }
}

/** A call of a function begins without its arguments; one of any other kind comes whole. */
function callDeltas(calls: readonly unknown[]): JsonObject[] {
  const deltas = calls.map(withoutIndex).flatMap((call, index): JsonObject[] => {
    const { function: called } = call
    if (!isObject(called) || !called.arguments) return [{ index, ...call }]
    return [
      { index, ...call, function: { ...called, arguments: '' } },
      { index, function: { arguments: called.arguments } },
    ]
  })
  // Without a call only the list itself is sent.
  return deltas.length > 0 ? deltas.map((delta) => ({ tool_calls: [delta] })) : [{ tool_calls: [] }]
}
