import { type HttpAnswer, isObject, type JsonObject, parseObject, readEvents } from '@idem/core/dialect'
import { errorAnswer, errorOf } from '../errors.js'
import { indexOf, message as messageRule } from './deltas.js'
import { extend, objectOf, onceOf } from './merge.js'

/**
 * The answer a stream amounts to: the completion its chunks build up, as the SDK's `ChatCompletionStream` builds it, or
 * the error it ended with. Nothing is added that was not sent. `[DONE]` may be missing; a reason to finish may not.
 * @throws for a stream that is not whole, and where the whole cannot be known with certainty
 */
export function fold(answer: HttpAnswer): HttpAnswer {
  const events = readEvents(answer.body)
  const end = events.findIndex(({ data }) => data.startsWith('[DONE]'))
  const chunks = end < 0 ? events : events.slice(0, end)
  for (const chunk of chunks) {
    const error = errorOf(chunk)
    if (error !== undefined) return errorAnswer(answer, error)
  }
  const fold = new Fold()
  for (const { data } of chunks) fold.add(parseObject(data))
  return { ...answer, body: Buffer.from(JSON.stringify(fold.completion())) }
}

/** Members of a chunk that describe the completion so far. */
const LATEST = new Set(['id', 'object', 'created', 'model', 'usage', 'service_tier', 'system_fingerprint'])

/** Azure's: each describes the part of the text it comes with. */
const FILTERS = ['content_filter_results', 'content_filter_offsets']

class Fold {
  #completion: JsonObject | undefined
  readonly #choices = new Map<number, JsonObject>()

  add({ choices, ...members }: JsonObject): void {
    const rest = withoutPadding(members)
    if (!this.#completion) this.#completion = rest
    // Azure's notes on a running stream come in chunks without an id, and with empty names.
    else if (rest.id) this.#setAll(this.#completion, rest)
    // Some servers give no chunk an id. Counts are totals, wherever they come.
    else if ((rest.usage ?? null) !== null) this.#completion.usage = rest.usage
    if (!Array.isArray(choices)) throw new TypeError('not a chunk of a completion')
    for (const choice of choices) this.#addChoice(objectOf(choice))
  }

  completion(): JsonObject {
    const choices = inOrder([...this.#choices.values()])
    if (!this.#completion || choices.length === 0) throw new TypeError('a stream without a choice')
    for (const { finish_reason, message } of choices) {
      if (!finish_reason) throw new TypeError('a choice that has not finished')
      finish(message as JsonObject)
    }
    return { ...this.#completion, object: 'chat.completion', choices }
  }

  #setAll(completion: JsonObject, members: JsonObject): void {
    for (const [name, value] of Object.entries(members)) {
      const before = completion[name]
      // Text may come in pieces. Other metadata, whoever adds it, is sent again as it grows.
      const isLatest = value !== null && (LATEST.has(name) || (isObject(before) && isObject(value)))
      completion[name] = isLatest ? value : onceOf(before, value)
    }
  }

  #addChoice(piece: JsonObject): void {
    const { index: _, delta, logprobs, finish_reason, ...others } = piece
    const index = indexOf(piece)
    const begun = this.#choices.get(index)
    // The SDK counts these twice.
    if (!begun && hasTokens(logprobs)) throw new TypeError('a choice that begins with its logprobs')
    const choice = begun ?? { index, message: {} }
    this.#choices.set(index, choice)
    const message = choice.message as JsonObject
    extend(message, withoutEmptyArguments(objectOf(delta ?? {}), message), messageRule)
    if (logprobs !== undefined) choice.logprobs = withLogprobs(choice.logprobs, logprobs)
    if (finish_reason || !begun) choice.finish_reason = onceOf(choice.finish_reason || null, finish_reason)
    for (const name of FILTERS.filter((name) => others[name] !== undefined)) {
      choice[name] = others[name]
      delete others[name]
    }
    extend(choice, withoutCopy(others, delta), { members: {} })
  }
}

/** Padding of OpenAI and Mistral, which makes all chunks the same length on the wire. It is not part of the answer. */
function withoutPadding({ obfuscation: _, ...members }: JsonObject): JsonObject {
  const { p, ...rest } = members
  return typeof p === 'string' ? rest : members
}

/**
 * The SDK passes over a further piece of a function call that has no text. A call that never had text is an error
 * there.
 */
function withoutEmptyArguments(delta: JsonObject, { function_call: begun }: JsonObject): JsonObject {
  const { function_call: piece } = delta
  if (!begun || !isObject(piece) || piece.arguments !== '') return delta
  const { arguments: _, ...rest } = piece
  return { ...delta, function_call: rest }
}

/** Together sends the text of each delta a second time, beside it. */
function withoutCopy(members: JsonObject, delta: unknown): JsonObject {
  const { text, ...rest } = members
  return typeof text === 'string' && isObject(delta) && delta.content === text ? rest : members
}

function hasTokens(logprobs: unknown): boolean {
  return (
    isObject(logprobs) &&
    Object.values(logprobs).some((list) => (Array.isArray(list) ? list.length > 0 : list !== null))
  )
}

/** Lists of tokens grow; any other member comes once. */
function withLogprobs(before: unknown, piece: unknown): unknown {
  if (piece === null) return before ?? null
  if (!isObject(before)) return objectOf(piece)
  const whole = { ...before }
  for (const [name, value] of Object.entries(objectOf(piece))) {
    const old = whole[name] ?? []
    if (!['content', 'refusal'].includes(name)) whole[name] = onceOf(whole[name], value)
    else if (Array.isArray(value) && Array.isArray(old)) whole[name] = [...old, ...value]
    else if (value !== null) throw new TypeError('logprobs that are not a list')
  }
  return whole
}

/** Choices or calls by their index. @throws where one is missing */
function inOrder(items: readonly JsonObject[]): JsonObject[] {
  const sorted = [...items].sort((a, b) => indexOf(a) - indexOf(b))
  if (sorted.some(({ index }, place) => index !== place)) throw new TypeError('an index is missing')
  return sorted
}

function finish(message: JsonObject): void {
  if (message.role !== 'assistant') throw new TypeError('a message without its role')
  // Some messages begin with an empty text before they turn out to be a refusal, which has no text.
  if (message.content === '' && message.refusal) message.content = null
  if (message.function_call) {
    const others = Object.keys(message).filter((name) => !CALLING.has(name))
    if (!isCalled(message.function_call) || others.length > 0) throw new TypeError('not a function call')
  }
  if (Array.isArray(message.tool_calls)) {
    const calls = inOrder(message.tool_calls)
    if (!calls.every(isCall)) throw new TypeError('a tool call that is not whole')
    message.tool_calls = calls.map(({ index: _, ...call }) => call)
  }
}

/** The content of a message with a function call of the old kind, as the SDK reads it. */
const CALLING = new Set(['role', 'content', 'refusal', 'function_call', 'audio'])

function isCall({ id, type, function: called, custom }: JsonObject): boolean {
  if (!id) return false
  return type === 'function'
    ? isCalled(called)
    : type === 'custom' && isObject(custom) && called === undefined
}

function isCalled(called: unknown): boolean {
  return isObject(called) && Boolean(called.name) && typeof called.arguments === 'string'
}
