import { isObject, type JsonObject } from '@idem/core/dialect'
import { parseToolInput } from './tool-input.js'

/** A content block while it is being streamed, until its `content_block_stop`. */
interface Place {
  readonly block: JsonObject
  /** The text of a tool's input. */
  input?: string
  isOver: boolean
}

const TOOLS = ['tool_use', 'server_tool_use', 'mcp_tool_use']

/** The deltas that are known: the types of block each belongs to, and the member it carries. */
const DELTAS: ReadonlyMap<
  unknown,
  { readonly blocks: readonly string[]; readonly members: readonly string[] }
> = new Map([
  ['text_delta', { blocks: ['text'], members: ['text'] }],
  ['thinking_delta', { blocks: ['thinking'], members: ['thinking'] }],
  ['signature_delta', { blocks: ['thinking'], members: ['signature'] }],
  ['citations_delta', { blocks: ['text'], members: ['citation'] }],
  ['input_json_delta', { blocks: TOOLS, members: ['partial_json'] }],
  ['compaction_delta', { blocks: ['compaction'], members: ['content', 'encrypted_content'] }],
])

/** The content of a message, as its events build it up. Throws where a block cannot be rebuilt with certainty. */
export class Blocks {
  readonly #places: Place[] = []

  /** Blocks must begin in order: the SDK appends each one, whatever index the event gives it. */
  start(index: unknown, block: JsonObject): void {
    if (index !== this.#places.length) throw new TypeError('a block that does not begin in its place')
    this.#places.push({ block, isOver: false })
  }

  extend(index: unknown, { type, ...delta }: JsonObject): void {
    const place = this.#at(index)
    const { block } = place
    const known = DELTAS.get(type)
    const isKnown =
      known?.blocks.includes(String(block.type)) &&
      Object.keys(delta).every((name) => known.members.includes(name))
    if (!isKnown) throw new TypeError('a delta of a kind that is not known')
    switch (type) {
      case 'text_delta':
        block.text = textOf(block.text) + textOf(delta.text)
        break
      case 'thinking_delta':
        block.thinking = textOf(block.thinking) + textOf(delta.thinking)
        break
      case 'signature_delta':
        block.signature = textOf(delta.signature)
        break
      case 'citations_delta':
        block.citations = [...listOf(block.citations ?? []), delta.citation ?? null]
        break
      case 'input_json_delta':
        if (!isEmpty(block.input)) throw new TypeError('a tool input that is sent twice')
        place.input = (place.input ?? '') + textOf(delta.partial_json)
        break
      default:
        if (!('content' in delta)) throw new TypeError('a compaction without its content')
        Object.assign(block, delta)
    }
  }

  stop(index: unknown): void {
    this.#at(index).isOver = true
  }

  /** Only allowed at the end of the message: a block that was cut short has no `content_block_stop`. */
  content(stopReason: unknown): JsonObject[] {
    // An input that the model finished is never repaired: a tool would run with an input that the model did not write.
    const parse = stopReason === 'tool_use' ? JSON.parse : parseToolInput
    for (const { block, input } of this.#places) {
      if (input) block.input = objectOf(parse(input))
    }
    return this.#places.map(({ block }) => block)
  }

  #at(index: unknown): Place {
    const place = Number.isInteger(index) ? this.#places[index as number] : undefined
    if (!place || place.isOver) throw new TypeError('a delta of a block that is not under way')
    return place
  }
}

function isEmpty(input: unknown): boolean {
  return isObject(input) && Object.keys(input).length === 0
}

function objectOf(value: unknown): JsonObject {
  if (!isObject(value)) throw new TypeError('a tool input that is not an object')
  return value
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a delta that is not text')
  return value
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError('citations that are not a list')
  return value
}
