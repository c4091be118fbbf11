import { isDeepStrictEqual } from 'node:util'
import { eventText, type HttpAnswer, isObject, type JsonObject, parseObject } from '@idem/core/dialect'
import { fold } from './fold.js'

/**
 * The stream that builds up this message, in the events the API would send, each block in one piece. Nothing is added
 * that is not in the message.
 * @throws for a body that is not a message, and where its stream would not build up the same message
 */
export function expand(answer: HttpAnswer): HttpAnswer {
  const message = objectIn(answer)
  if (message.type !== 'message' || !Array.isArray(message.content) || !isObject(message.usage)) {
    throw new TypeError('not a message')
  }
  const events = [
    { type: 'message_start', message: beginning(message, message.usage) },
    ...message.content.flatMap(blockEvents),
    messageDelta(message, message.usage),
    { type: 'message_stop' },
  ]
  const text = events.map((event) => eventText(event.type, JSON.stringify(event))).join('')
  const stream = { ...answer, body: Buffer.from(text) }
  // Anything `fold` would reject in a stream makes this one wrong, too.
  if (!isDeepStrictEqual(objectIn(fold(stream)), message)) {
    throw new TypeError('a message that no stream builds up')
  }
  return stream
}

function objectIn({ body }: HttpAnswer): JsonObject {
  return parseObject(new TextDecoder().decode(body))
}

/** The message before its content. The counts of its input are known by then. */
function beginning(message: JsonObject, usage: JsonObject): JsonObject {
  const stops = Object.keys(message).filter((name) => name.startsWith('stop_'))
  const none = Object.fromEntries(stops.map((name) => [name, null]))
  return {
    ...message,
    ...none,
    content: [],
    usage: { ...usage, ...('output_tokens' in usage && { output_tokens: 0 }) },
  }
}

function messageDelta(message: JsonObject, usage: JsonObject) {
  const stops = Object.entries(message).filter(([name]) => name.startsWith('stop_'))
  return { type: 'message_delta', delta: Object.fromEntries(stops), usage }
}

function blockEvents(block: unknown, index: number) {
  if (!isObject(block)) throw new TypeError('not a content block')
  const { start, deltas } = split(block)
  return [
    { type: 'content_block_start', index, content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
}

/** The start of a block, and the delta that completes it. A block of any other type starts complete. */
function split(block: JsonObject): { start: JsonObject; deltas: JsonObject[] } {
  switch (block.type) {
    case 'text': {
      const citations = Array.isArray(block.citations) ? block.citations : []
      return {
        start: { ...block, text: '', ...(citations.length > 0 && { citations: [] }) },
        deltas: [
          ...(block.text ? [{ type: 'text_delta', text: block.text }] : []),
          ...citations.map((citation: unknown) => ({ type: 'citations_delta', citation })),
        ],
      }
    }
    case 'thinking':
      return {
        start: { ...block, thinking: '', ...('signature' in block && { signature: '' }) },
        deltas: [
          ...(block.thinking ? [{ type: 'thinking_delta', thinking: block.thinking }] : []),
          ...('signature' in block ? [{ type: 'signature_delta', signature: block.signature }] : []),
        ],
      }
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return {
        start: { ...block, input: {} },
        deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(block.input ?? {}) }],
      }
    case 'compaction': {
      const { content, encrypted_content: encrypted } = block
      const delta = { content, ...(encrypted !== undefined && { encrypted_content: encrypted }) }
      return { start: block, deltas: [{ type: 'compaction_delta', ...delta }] }
    }
    default:
      return { start: block, deltas: [] }
  }
}
