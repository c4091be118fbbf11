import { isObject, type JsonObject } from '@idem/core/dialect'

/** An event of a stream, without its sequence number. */
export type ItemEvent = JsonObject & { readonly type: string }

/** By type of item: the member that holds the text of a call's arguments, and the name of its events. */
const CALLS = new Map<unknown, readonly [member: string, events: string]>([
  ['function_call', ['arguments', 'response.function_call_arguments']],
  ['mcp_call', ['arguments', 'response.mcp_call_arguments']],
  ['custom_tool_call', ['input', 'response.custom_tool_call_input']],
])

/**
 * The events that build up one item of the output; an item of an unknown type comes whole.
 * @throws for an item without the text its type has
 */
export function itemEvents(item: unknown, output_index: number): ItemEvent[] {
  if (!isObject(item)) throw new TypeError('not an item of the output')
  const { start, events } = split(item)
  const place = { output_index, item_id: item.id }
  return [
    { type: 'response.output_item.added', output_index, item: start },
    ...events.map((event) => ({ ...event, ...place })),
    { type: 'response.output_item.done', output_index, item },
  ]
}

function split(item: JsonObject): { start: JsonObject; events: ItemEvent[] } {
  const running = { ...item, ...('status' in item && { status: 'in_progress' }) }
  const call = CALLS.get(item.type)
  if (call) {
    const [member, name] = call
    return { start: { ...running, [member]: '' }, events: callEvents(item, member, name) }
  }
  if (item.type === 'message') {
    return { start: { ...running, content: [] }, events: partsOf(item.content).flatMap(contentEvents) }
  }
  if (item.type === 'reasoning') {
    const { content = [], ...rest } = running as JsonObject
    const events = [
      ...partsOf(item.summary).flatMap(summaryEvents),
      ...partsOf(content ?? []).flatMap(contentEvents),
    ]
    return { start: { ...rest, summary: [] }, events }
  }
  return { start: item, events: [] }
}

function callEvents(item: JsonObject, member: string, name: string): ItemEvent[] {
  const text = textIn(item, member)
  return [
    ...(text ? [{ type: `${name}.delta`, delta: text }] : []),
    { type: `${name}.done`, ...('name' in item && { name: item.name }), [member]: text },
  ]
}

function summaryEvents(part: JsonObject, summary_index: number): ItemEvent[] {
  const text = textIn(part, 'text')
  return [
    { type: 'response.reasoning_summary_part.added', summary_index, part: { ...part, text: '' } },
    ...(text ? [{ type: 'response.reasoning_summary_text.delta', summary_index, delta: text }] : []),
    { type: 'response.reasoning_summary_text.done', summary_index, text },
    { type: 'response.reasoning_summary_part.done', summary_index, part },
  ]
}

function contentEvents(part: JsonObject, content_index: number): ItemEvent[] {
  const { start, events } = splitPart(part)
  return [
    { type: 'response.content_part.added', content_index, part: start },
    ...events.map((event) => ({ ...event, content_index })),
    { type: 'response.content_part.done', content_index, part },
  ]
}

function splitPart(part: JsonObject): { start: JsonObject; events: ItemEvent[] } {
  switch (part.type) {
    case 'output_text': {
      const { logprobs = [] } = part
      const text = textIn(part, 'text')
      const annotations: unknown = part.annotations ?? []
      if (!Array.isArray(annotations)) throw new TypeError('annotations that are not a list')
      return {
        start: { ...part, text: '', annotations: [], ...('logprobs' in part && { logprobs: [] }) },
        events: [
          ...(text ? [{ type: 'response.output_text.delta', delta: text, logprobs }] : []),
          ...annotations.map((annotation: unknown, annotation_index) => ({
            type: 'response.output_text.annotation.added',
            annotation_index,
            annotation,
          })),
          { type: 'response.output_text.done', text, logprobs },
        ],
      }
    }
    case 'refusal':
      return { start: { ...part, refusal: '' }, events: textEvents('refusal', 'refusal', part) }
    case 'reasoning_text':
      return { start: { ...part, text: '' }, events: textEvents('reasoning_text', 'text', part) }
    default:
      return { start: part, events: [] }
  }
}

function textEvents(name: string, member: string, part: JsonObject): ItemEvent[] {
  const text = textIn(part, member)
  return [
    ...(text ? [{ type: `response.${name}.delta`, delta: text }] : []),
    { type: `response.${name}.done`, [member]: text },
  ]
}

function partsOf(parts: unknown): JsonObject[] {
  if (!Array.isArray(parts) || !parts.every(isObject)) throw new TypeError('not the parts of an item')
  return parts
}

function textIn(part: JsonObject, member: string): string {
  const text = part[member]
  if (typeof text !== 'string') throw new TypeError('a part of an item without its text')
  return text
}
