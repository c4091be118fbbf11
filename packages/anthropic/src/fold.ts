import { type HttpAnswer, isObject, type JsonObject, parseObject, readEvents } from '@idem/core'
import { statusOf } from './errors.js'
import { parseToolInput } from './tool-input.js'

/**
 * The answer a stream amounts to: the message its events build up, as the SDK's `MessageStream` builds it, or the error
 * it ended with. Nothing is added that was not sent, and deltas of a kind not known yet are kept.
 * @throws for a stream that is not whole
 */
export function fold(answer: HttpAnswer): HttpAnswer {
  const fold = new Fold()
  for (const { name, data } of readEvents(answer.body)) {
    if (name === 'error') {
      return { ...answer, status: statusOf(errorOf(data)), body: Buffer.from(data) }
    }
    fold.add(name, data)
  }
  return { ...answer, body: Buffer.from(JSON.stringify(fold.message())) }
}

function errorOf(data: string): unknown {
  const { error } = parseObject(data)
  return isObject(error) ? error.type : undefined
}

class Fold {
  #message: JsonObject | undefined
  readonly #blocks: JsonObject[] = []
  /** The text of tool inputs, by block. */
  readonly #inputs = new Map<JsonObject, string>()
  #isWhole = false

  /** Pings, and events of a name not known yet, say nothing of the message, whatever their data. */
  add(name: string, data: string): void {
    switch (name) {
      case 'message_start':
        this.#message = asObject(parseObject(data).message)
        break
      case 'content_block_start':
        this.#start(asObject(parseObject(data).content_block))
        break
      case 'content_block_delta': {
        const { index, delta } = parseObject(data)
        this.#extend(this.#blocks[Number(index)], asObject(delta))
        break
      }
      case 'message_delta':
        this.#finish(parseObject(data))
        break
      case 'message_stop':
        this.#isWhole = true
    }
  }

  message(): JsonObject {
    if (!this.#message || !this.#isWhole) throw new TypeError('not a whole stream of a message')
    // Only now: a block that was cut short has no `content_block_stop`.
    // Nor is one to be read leniently where the model says that it is whole: a tool would run with other arguments.
    const parse = this.#message.stop_reason === 'tool_use' ? JSON.parse : parseToolInput
    for (const [block, text] of this.#inputs) block.input = parse(text)
    return { ...this.#message, content: this.#blocks }
  }

  #start(block: JsonObject): void {
    this.#blocks.push(block)
    // The last of them names the model that answered.
    if (block.type === 'fallback' && isObject(block.to)) this.#setOnMessage('model', block.to.model)
  }

  #extend(block: JsonObject | undefined, { type, ...delta }: JsonObject): void {
    if (!block) return
    switch (type) {
      case 'citations_delta':
        block.citations = [...((block.citations as unknown[] | null | undefined) ?? []), delta.citation]
        break
      case 'input_json_delta': {
        const text = (this.#inputs.get(block) ?? '') + String(delta.partial_json)
        if (text) this.#inputs.set(block, text)
        break
      }
      case 'signature_delta':
      case 'compaction_delta':
        Object.assign(block, delta)
        break
      default:
        // `text_delta`, `thinking_delta`, and whatever else there will be.
        for (const [name, value] of Object.entries(delta)) {
          const before = block[name]
          block[name] = typeof before === 'string' && typeof value === 'string' ? before + value : value
        }
    }
  }

  /** Counts are totals, and what does not apply is null: it takes nothing away. */
  #finish({ type, delta, usage, ...rest }: JsonObject): void {
    for (const [name, value] of Object.entries(asObject(delta))) {
      if (name.startsWith('stop_') || value !== null) this.#setOnMessage(name, value)
    }
    for (const [name, value] of Object.entries(rest)) {
      if (value !== null) this.#setOnMessage(name, value)
    }
    const total = this.#message?.usage
    if (!isObject(usage) || !isObject(total)) return
    for (const [name, value] of Object.entries(usage)) {
      if (value !== null) total[name] = value
    }
  }

  #setOnMessage(name: string, value: unknown): void {
    if (this.#message) this.#message[name] = value
  }
}

function asObject(value: unknown): JsonObject {
  if (!isObject(value)) throw new TypeError('not an event of the Messages API')
  return value
}
