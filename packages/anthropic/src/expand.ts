import { eventText, type HttpAnswer, isObject, type JsonObject, parseObject } from '@idem/core'

/**
 * The stream that builds up this message, in the events the API would send, each block in one piece. Nothing is added
 * that is not in the message.
 * @throws for a body that is not a message
 */
export function expand(answer: HttpAnswer): HttpAnswer {
  const message = parseObject(new TextDecoder().decode(answer.body))
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
  return { ...answer, body: Buffer.from(text) }
}

/** The message as it is before its content, the counts of its input known already. */
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

/** What a block begins with, and what brings it to its whole; a block of any other type begins whole. */
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
      const { type, ...whole } = block
      return { start: block, deltas: [{ type: 'compaction_delta', ...whole }] }
    }
    default:
      return { start: block, deltas: [] }
  }
}
