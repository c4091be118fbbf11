import { openaiError, openaiWire } from './openai-wire.js'
import { type AnswerScript, sse, type Wire, type WireEvent } from './wire.js'
import { epochSeconds, tokens, wireId, words } from './wire-text.js'

/** OpenAI's Responses API: a stream is named events, of which the last holds the whole answer. */
export const responsesWire: Wire = {
  ...openaiWire('input'),
  answer(request, script) {
    const whole = buildResponse(request, script)
    return {
      whole,
      stream: {
        events: () => toEvents(whole).map(numbered),
        failure({ status, error }, sent) {
          const { code, type, message } = openaiError(status, error)
          const response = { ...started(whole, 'failed'), error: { code: code ?? type, message } }
          return numbered({ type: 'response.failed', response }, sent)
        },
      },
    }
  },
}

type WireResponse = ReturnType<typeof buildResponse>

function buildResponse(request: Record<string, unknown>, { text, stopReason }: AnswerScript) {
  const status = stopReason === undefined ? 'completed' : 'incomplete'
  const input = tokens([request.instructions, request.input, request.tools])
  const output = tokens(text)
  return {
    id: wireId('resp_'),
    object: 'response',
    created_at: epochSeconds(),
    status,
    background: false,
    completed_at: status === 'completed' ? epochSeconds() : null,
    error: null,
    incomplete_details: stopReason === undefined ? null : { reason: stopReason },
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    model: request.model,
    output: [
      {
        id: wireId('msg_'),
        type: 'message',
        status,
        role: 'assistant',
        content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
      },
    ],
    parallel_tool_calls: true,
    previous_response_id: request.previous_response_id ?? null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: { format: { type: 'text' } },
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_p: request.top_p ?? 1,
    truncation: 'disabled',
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + output,
    },
    metadata: request.metadata ?? {},
  }
}

/** The answer before its text, as every event but the last has it. */
function started(whole: WireResponse, status: 'in_progress' | 'failed') {
  return { ...whole, status, completed_at: null, incomplete_details: null, output: [], usage: null }
}

function toEvents(whole: WireResponse): WireEvent[] {
  const item = whole.output[0]!
  const part = item.content[0]!
  const at = { item_id: item.id, output_index: 0, content_index: 0 }
  const response = started(whole, 'in_progress')
  return [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...item, status: 'in_progress', content: [] },
    },
    { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
    ...words(part.text).map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...at, text: part.text, logprobs: [] },
    { type: 'response.content_part.done', ...at, part },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: `response.${whole.status}`, response: whole },
  ]
}

function numbered({ type, ...rest }: WireEvent, index: number): string {
  return sse({ type, sequence_number: index, ...rest }, type)
}
