import type { Block, Message } from './messages.js'

export type Event = { type: string } & Record<string, unknown>

export interface Writing {
  readonly newline?: string
  /** Spaces after the data. */
  readonly padding?: string
}

/** Ways to write a stream that mean the same to every reader. */
export const writings: Writing[] = [
  {},
  { padding: '     ' },
  { newline: '\r\n' },
  { newline: '\r' },
  { newline: '\r\n', padding: '  ' },
]

const PING = { type: 'ping' }

/** Members that the API knows only at the end, and sends in `message_delta`: beside its delta, and in it. */
const LATE_MEMBERS = ['context_management', 'input_transformations']
const LATE_DELTAS = ['stop_reason', 'stop_sequence', 'stop_details', 'container']
const LATE_COUNTS = ['output_tokens_details', 'server_tool_use', 'iterations', 'fallback_credit']
const COUNTS = ['input_tokens', 'output_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens']

/** The events the API sends for a message, text and tool inputs in deltas of so many code points. */
export function eventsOf(message: Message, size: number): Event[] {
  const { content, usage } = message
  const first = content.find(({ type }) => type === 'fallback')?.from as { model: string } | undefined
  const begun = {
    ...message,
    ...nulled(message, [...LATE_DELTAS, ...LATE_MEMBERS]),
    ...(first && { model: first.model }),
    content: [],
    usage: {
      ...usage,
      ...nulled(usage, LATE_COUNTS),
      ...(typeof usage.input_tokens === 'number' && { input_tokens: 3 }),
      ...('output_tokens' in usage && { output_tokens: 1 }),
    },
  }
  return [
    { type: 'message_start', message: begun },
    PING,
    ...content.flatMap((block, index) => blockEvents(block, index, size)),
    {
      type: 'message_delta',
      delta: picked(message, LATE_DELTAS),
      ...picked(message, LATE_MEMBERS),
      usage: picked(usage, [...COUNTS, ...LATE_COUNTS]),
    },
    { type: 'message_stop' },
  ]
}

export function bytesOf(events: readonly Event[], writing: Writing = {}): Buffer {
  return Buffer.from(events.map((event) => frame(event.type, event, writing)).join(''))
}

/** One event; a ping as the API writes it. */
export function frame(name: string, data: unknown, { newline = '\n', padding = '' }: Writing = {}): string {
  const text = data === PING ? '{"type": "ping"}' : JSON.stringify(data)
  return `event: ${name}${newline}data: ${text}${padding}${newline}${newline}`
}

export function cut(text: string, size: number): string[] {
  const points = [...text]
  const step = Math.min(size, points.length)
  return Array.from({ length: Math.ceil(points.length / step) || 0 }, (_, i) =>
    points.slice(i * step, (i + 1) * step).join(''),
  )
}

function blockEvents(block: Block, index: number, size: number): Event[] {
  const { start, deltas } = split(block, size)
  return [
    { type: 'content_block_start', index, content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    PING,
    { type: 'content_block_stop', index },
  ]
}

function split(block: Block, size: number): { start: Block; deltas: Event[] } {
  switch (block.type) {
    case 'text': {
      const texts = cut(String(block.text), size).map((text) => ({ type: 'text_delta', text }))
      if (!Array.isArray(block.citations)) return { start: { ...block, text: '' }, deltas: texts }
      const [first = [], ...others] = block.citations.map((citation) => [
        { type: 'citations_delta', citation },
      ])
      return { start: { ...block, text: '', citations: [] }, deltas: [...first, ...texts, ...others.flat()] }
    }
    case 'thinking': {
      const thinkings = cut(String(block.thinking), size)
      const { signature } = block
      return {
        start: { ...block, thinking: '', ...('signature' in block && { signature: '' }) },
        deltas: [
          ...thinkings.map((thinking) => ({ type: 'thinking_delta', thinking })),
          ...('signature' in block ? [{ type: 'signature_delta', signature }] : []),
        ],
      }
    }
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use': {
      // The model writes it, with spaces anywhere. The first piece is empty; an input without members has no other.
      const written = JSON.stringify(block.input, null, 1)
      const pieces = ['', ...(written === '{}' ? [] : cut(written, size))]
      return {
        start: { ...block, input: {} },
        deltas: pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      }
    }
    case 'compaction': {
      const late = ['content', 'encrypted_content']
      return {
        start: { ...block, ...nulled(block, late) },
        deltas: [{ type: 'compaction_delta', ...picked(block, late) }],
      }
    }
    default:
      return { start: block, deltas: [] }
  }
}

function picked(from: Record<string, unknown>, names: string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in from).map((name) => [name, from[name]]))
}

function nulled(from: Record<string, unknown>, names: string[]): Record<string, null> {
  return Object.fromEntries(names.filter((name) => name in from).map((name) => [name, null]))
}
