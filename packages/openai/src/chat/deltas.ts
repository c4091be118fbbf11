import type { JsonObject } from '@idem/core/dialect'
import type { ListRule, ObjectRule } from './merge.js'

/** Calls are told apart by their index. The first delta of one says what it is. */
const toolCalls: ListRule = {
  items: {
    members: {
      index: 'latest',
      id: 'whole',
      type: 'whole',
      function: { members: { name: 'whole', arguments: 'pieces' }, isClosed: true },
    },
  },
  continued(calls, piece) {
    const place = indexOf(piece)
    const call = calls.find(({ index }) => index === place)
    if (!call && !piece.type) throw new TypeError('a tool call that does not begin with its type')
    return call
  },
}

/** OpenRouter's: another type or id under the same index starts another item. */
const reasoningDetails: ListRule = {
  items: {
    members: {
      text: 'pieces',
      summary: 'pieces',
      id: 'whole',
      type: 'whole',
      format: 'whole',
      signature: 'whole',
    },
  },
  continued(items, piece) {
    const place = indexOf(piece)
    const isSame = (item: JsonObject) =>
      item.index === place && item.type === piece.type && (item.id ?? piece.id) === (piece.id ?? item.id)
    const last = items.at(-1)
    if (last && isSame(last)) return last
    if (items.some(isSame)) throw new TypeError('an item that goes on after another one has begun')
    return undefined
  },
}

/** What the deltas of one choice build up. */
export const message: ObjectRule = {
  members: {
    role: 'whole',
    content: 'pieces',
    refusal: 'pieces',
    reasoning: 'pieces',
    reasoning_content: 'pieces',
    reasoning_details: reasoningDetails,
    audio: {
      members: { id: 'once', data: 'pieces', transcript: 'pieces', expires_at: 'latest' },
      isClosed: true,
    },
    function_call: { members: { name: 'whole', arguments: 'pieces' }, isClosed: true },
    tool_calls: toolCalls,
    // Together's: of the last token.
    token_id: 'latest',
  },
}

/** @throws unless the delta says which item it goes on with */
export function indexOf({ index }: JsonObject): number {
  if (!Number.isInteger(index)) throw new TypeError('an item without an index')
  return index as number
}
