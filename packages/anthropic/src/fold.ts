import { isDeepStrictEqual } from 'node:util'
import { type HttpAnswer, isObject, type JsonObject, readEvents } from '@idem/core/dialect'
import { Blocks } from './blocks.js'
import { errorAnswer } from './errors.js'
import { isKnown, type TypedEvent, typeReader } from './events.js'

/**
 * The answer a stream amounts to: the message its events build up, as the SDK's `BetaMessageStream` builds it, or the
 * error it ended with. Nothing is added that was not sent.
 * @throws for a stream that is not whole, and where the whole cannot be known with certainty
 */
export function fold(answer: HttpAnswer): HttpAnswer {
  const events = readEvents(answer.body).map(typeReader())
  const error = events.find(({ type }) => type === 'error')
  if (error) return errorAnswer(answer, error.data)
  const fold = new Fold()
  for (const event of events) fold.add(event)
  return { ...answer, body: Buffer.from(JSON.stringify(fold.message())) }
}

const NONE: ReadonlySet<string> = new Set()

/** The members of a `message_delta` that set the final value of a member of the message. */
const STOPS = ['stop_reason', 'stop_sequence', 'stop_details'] as const
const LATE_MEMBERS = new Set(['context_management', 'input_transformations'])
/**
 * The members of the usage that are not plain numbers. The SDK passes over the last two, which relays send at the end.
 */
const LATE_COUNTS = new Set([
  'output_tokens_details',
  'server_tool_use',
  'iterations',
  'fallback_credit',
  'cache_creation',
  'service_tier',
])

class Fold {
  #message: JsonObject | undefined
  readonly #blocks = new Blocks()
  #isWhole = false

  /** Pings, and events of an unknown type, carry no part of the message. */
  add({ type, data }: TypedEvent): void {
    if (!isKnown(type)) return
    const event = asObject(data)
    // The SDK reads the type from the data, and passes over data without one.
    if (event.type !== type) throw new SyntaxError('an event without its type')
    if (this.#isWhole) throw new TypeError('a stream that goes on after its end')
    if (type === 'message_start') this.#begin(asObject(event.message))
    const message = asObject(this.#message)
    switch (type) {
      case 'content_block_start':
        this.#start(event.index, asObject(event.content_block), message)
        break
      case 'content_block_delta':
        this.#blocks.extend(event.index, asObject(event.delta))
        break
      case 'content_block_stop':
        this.#blocks.stop(event.index)
        break
      case 'message_delta':
        finish(message, event)
        break
      case 'message_stop':
        this.#isWhole = true
    }
  }

  message(): JsonObject {
    if (!this.#message || !this.#isWhole) throw new TypeError('not a whole stream of a message')
    return { ...this.#message, content: this.#blocks.content(this.#message.stop_reason) }
  }

  #begin(message: JsonObject): void {
    const isEmpty = Array.isArray(message.content) && message.content.length === 0
    if (this.#message || !isEmpty) throw new TypeError('a message that begins twice, or with content')
    this.#message = message
  }

  #start(index: unknown, block: JsonObject, message: JsonObject): void {
    this.#blocks.start(index, block)
    // The last one names the model that answered.
    if (block.type === 'fallback') message.model = asObject(block.to).model
  }
}

/** Counts are totals. Null means that a count does not apply: it leaves the earlier value in place. */
function finish(message: JsonObject, { type: _, delta, usage: counts, ...rest }: JsonObject): void {
  const { container, ...others } = asObject(delta)
  if (container !== null && container !== undefined) message.container = container
  for (const name of STOPS) {
    const value = others[name]
    if (value === undefined && message[name]) throw new TypeError('a message that has stopped and goes on')
    if (value === undefined) delete message[name]
    else message[name] = value
    delete others[name]
  }
  const usage = asObject(message.usage)
  const totals = asObject(counts)
  if (typeof totals.output_tokens !== 'number') throw new TypeError('a message without its count of tokens')
  // A count is a total, whatever it counts.
  const numbers = Object.keys(totals).filter((name) => typeof totals[name] === 'number')
  setLate(usage, totals, new Set([...LATE_COUNTS, ...numbers]))
  setLate(message, others, NONE)
  setLate(message, rest, LATE_MEMBERS)
}

/** An unknown member may come at the end only if it repeats what was known before. */
function setLate(target: JsonObject, members: JsonObject, late: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(members)) {
    if (value === null) continue
    const isSaid = Object.hasOwn(target, name) && isDeepStrictEqual(target[name], value)
    if (late.has(name)) target[name] = value
    else if (!isSaid) throw new TypeError('a message_delta with a member that is not known')
  }
}

function asObject(value: unknown): JsonObject {
  if (!isObject(value)) throw new TypeError('not an event of the Messages API, or not in its place')
  return value
}
