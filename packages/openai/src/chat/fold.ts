import { type HttpAnswer, isObject, type JsonObject, parseObject, readEvents } from '@idem/core'
import { errorAnswer } from '../errors.js'
import { extend } from './merge.js'

/**
 * The answer a stream amounts to: the completion its chunks build up, as the SDK's `ChatCompletionStream` builds it, or
 * the error it ended with. Nothing is added that was not sent.
 * @throws for a stream that is not whole
 */
export function fold(answer: HttpAnswer): HttpAnswer {
  const fold = new Fold()
  for (const { data } of readEvents(answer.body)) {
    if (data.startsWith('[DONE]')) {
      return { ...answer, body: Buffer.from(JSON.stringify(fold.completion())) }
    }
    const chunk = parseObject(data)
    if (chunk.error) return errorAnswer(answer, chunk.error)
    fold.add(chunk)
  }
  throw new TypeError('not a whole stream of a completion')
}

class Fold {
  #completion: JsonObject | undefined
  readonly #choices = new Map<number, JsonObject>()

  /** Obfuscation makes chunks of one length on the wire; it is no part of the answer. */
  add({ choices, obfuscation: _, ...rest }: JsonObject): void {
    if (!this.#completion) this.#completion = rest
    // Azure's notes on a running stream are in chunks that have no id, and empty names beside it.
    else if (rest.id) setAll(this.#completion, rest)
    for (const choice of asList(choices)) this.#addChoice(asObject(choice))
  }

  completion(): JsonObject {
    if (!this.#completion) throw new TypeError('a stream without a chunk')
    const choices = [...this.#choices.values()].sort((a, b) => Number(a.index) - Number(b.index))
    for (const { message } of choices) finish(message as JsonObject)
    return { ...this.#completion, object: 'chat.completion', choices }
  }

  #addChoice({ index, delta, logprobs, ...rest }: JsonObject): void {
    const choice = this.#choices.get(Number(index)) ?? { index, message: {} }
    this.#choices.set(Number(index), choice)
    extend(choice.message as JsonObject, isObject(delta) ? delta : {})
    if (logprobs !== undefined) extend(choice, { logprobs })
    setAll(choice, rest)
  }
}

/** What is not a delta is sent as it is, more than once or not yet: null takes nothing away. */
function setAll(target: JsonObject, members: JsonObject): void {
  for (const [name, value] of Object.entries(members)) {
    if (value !== null || !Object.hasOwn(target, name)) target[name] = value
  }
}

function finish(message: JsonObject): void {
  // A message begins with an empty text, before it is known to be a refusal, which has none.
  if (message.content === '' && message.refusal) message.content = null
  if (Array.isArray(message.tool_calls)) {
    const calls = message.tool_calls.map(asObject).sort((a, b) => Number(a.index) - Number(b.index))
    message.tool_calls = calls.map(({ index: _, ...call }) => call)
  }
}

function asObject(value: unknown): JsonObject {
  if (!isObject(value)) throw new TypeError('not a chunk of a completion')
  return value
}

function asList(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError('not a chunk of a completion')
  return value
}
