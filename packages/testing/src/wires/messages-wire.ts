import { errorBody, statusOf, validationError } from './errors-wire.js'
import {
  type AnswerScript,
  type ContentBlock,
  sse,
  type Wire,
  type WireAnswer,
  type WireError,
  type WireEvent,
} from './wire.js'
import { tokens, wireId, words } from './wire-text.js'

/** Token counts of an answer, with every key of API version 2026-10-21. */
export interface WireUsage {
  input_tokens: number
  output_tokens: number
  cache_creation_input_tokens: number | null
  cache_read_input_tokens: number | null
  cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number } | null
  output_tokens_details: { thinking_tokens: number } | null
  server_tool_use: { web_search_requests: number; web_fetch_requests: number } | null
  service_tier: 'standard' | 'priority' | 'batch' | null
  inference_geo: string | null
  speed: 'standard' | 'fast' | null
}

/** A non-streaming answer, with every key of API version 2026-10-21. */
export interface WireMessage {
  id: string
  type: 'message'
  role: 'assistant'
  model: string
  content: ContentBlock[]
  container: null
  diagnostics: null
  stop_details: unknown
  stop_reason: string | null
  stop_sequence: string | null
  usage: WireUsage
}

function blockText(block: ContentBlock): unknown {
  return block.type === 'text' ? block.text : block
}

/** Builds the answer to `request` with a new id and counts computed from both texts. */
export function buildMessage(
  request: Record<string, unknown>,
  { text, content = [{ type: 'text', text, citations: null }], stopReason = 'end_turn' }: AnswerScript,
  idPrefix: string,
): WireMessage {
  const stopSequences = request.stop_sequences as string[] | undefined
  return {
    id: wireId(idPrefix),
    type: 'message',
    role: 'assistant',
    model: String(request.model),
    content,
    container: null,
    diagnostics: null,
    stop_details: stopReason === 'refusal' ? { type: 'refusal', category: null, explanation: null } : null,
    stop_reason: stopReason,
    stop_sequence: stopReason === 'stop_sequence' ? (stopSequences?.[0] ?? null) : null,
    usage: {
      input_tokens: tokens([request.system, request.messages, request.tools]),
      output_tokens: content.reduce((sum, block) => sum + tokens(blockText(block)), 0),
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      output_tokens_details: null,
      server_tool_use: null,
      service_tier: 'standard',
      inference_geo: null,
      speed: null,
    },
  }
}

/** The start of a block and the deltas that lead to its whole, as the API splits each type. */
function splitBlock(block: ContentBlock): { start: ContentBlock; deltas: WireEvent[] } {
  switch (block.type) {
    case 'text': {
      const citations = (block.citations ?? []) as unknown[]
      const start = { ...block, text: '' }
      if (citations.length > 0) Object.assign(start, { citations: [] })
      return {
        start,
        deltas: [
          ...words(String(block.text)).map((text) => ({ type: 'text_delta', text })),
          ...citations.map((citation) => ({ type: 'citations_delta', citation })),
        ],
      }
    }
    case 'thinking':
      return {
        start: { ...block, thinking: '', signature: '' },
        deltas: [
          ...words(String(block.thinking)).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: block.signature ?? '' },
        ],
      }
    case 'tool_use':
    case 'server_tool_use': {
      // The first piece is empty on the real wire too; a reader must not parse it alone.
      const pieces = ['', ...(JSON.stringify(block.input ?? {}).match(/.{1,8}/gsu) ?? [])]
      return {
        start: { ...block, input: {} },
        deltas: pieces.map((json) => ({ type: 'input_json_delta', partial_json: json })),
      }
    }
    default:
      return { start: block, deltas: [] }
  }
}

/** The stream of events that folds to exactly `message`. */
export function toEvents(message: WireMessage): WireEvent[] {
  const { stop_reason, stop_sequence, stop_details, usage } = message
  const events: WireEvent[] = [
    {
      type: 'message_start',
      message: {
        ...message,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        stop_details: null,
        usage: { ...usage, output_tokens: 1 },
      },
    },
    { type: 'ping' },
  ]
  for (const [index, block] of message.content.entries()) {
    const { start, deltas } = splitBlock(block)
    events.push({ type: 'content_block_start', index, content_block: start })
    for (const delta of deltas) events.push({ type: 'content_block_delta', index, delta })
    events.push({ type: 'content_block_stop', index })
  }
  events.push(
    {
      type: 'message_delta',
      delta: { stop_reason, stop_sequence, stop_details, container: null },
      // Cumulative: these overwrite what message_start said.
      usage: {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cache_creation_input_tokens: usage.cache_creation_input_tokens,
        cache_read_input_tokens: usage.cache_read_input_tokens,
        output_tokens_details: usage.output_tokens_details,
        server_tool_use: usage.server_tool_use,
      },
    },
    { type: 'message_stop' },
  )
  return events
}

/** A message in both of its forms, as the wires that speak in server-sent events have them. */
export function messageAnswer(whole: WireMessage): WireAnswer {
  return {
    whole,
    stream: {
      events: () => toEvents(whole).map((event) => sse(event, event.type)),
      failure: ({ status, requestId, error }) => sse(errorBody(status, requestId, error), 'error'),
    },
  }
}

/** Anthropic's Messages API, version 2026-10-21, as Anthropic and Microsoft Foundry serve it. */
export const messagesWire: Wire = {
  streamType: 'text/event-stream; charset=utf-8',
  requestId: () => wireId('req_01'),
  headers: (requestId) => ({
    'request-id': requestId,
    'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
  }),
  refusal(request) {
    const message = validationError(request)
    return message === undefined ? undefined : { message }
  },
  answer: (request, script) => messageAnswer(buildMessage(request, script, 'msg_01')),
  error: ({ status, requestId, error }) => ({ body: errorBody(status, requestId, error) }),
  statusOf,
}

/** The clouds take the version of the API from the body, and require it. */
export function cloudRefusal(request: Record<string, unknown>): WireError | undefined {
  if (request.anthropic_version === undefined) return { message: 'anthropic_version: Field required' }
  return messagesWire.refusal(request)
}
