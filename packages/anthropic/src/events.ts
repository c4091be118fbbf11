import { type EventWatch, isObject, type ServerEvent } from '@idem/core/dialect'

/** The events that build up a message. All others are passed over. */
const KNOWN = new Set([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
])

/** Whether an event of this type carries a part of the message. */
export function isKnown(type: string): boolean {
  return KNOWN.has(type)
}

/** An event, with its data if that is JSON. */
export interface TypedEvent {
  /** Empty for an event that carries no part of the message. */
  readonly type: string
  readonly data: unknown
}

/**
 * Reads the types of the events of one stream. As in the SDK, the `type` in the data decides, and events without a name
 * are passed over, since the API names all of its events. Some relays name only pings: in their streams events without
 * a name count, too.
 */
export function typeReader(): (event: ServerEvent) => TypedEvent {
  let isNamed = false
  return ({ name, data: text }) => {
    isNamed ||= !['', 'ping', 'error'].includes(name)
    if (name === 'ping' || (isNamed && !name)) return { type: '', data: undefined }
    const data = readJson(text)
    if (name === 'error') return { type: 'error', data: data ?? text }
    return { type: isObject(data) && typeof data.type === 'string' ? data.type : name, data }
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Some relays leave `message_stop` out: a stream is complete when it has said why it stopped. */
export class MessageWatch implements EventWatch {
  readonly #typeOf = typeReader()
  #hasEvents = false
  #isKnown = false
  #hasStopped = false

  endOf(event: ServerEvent): 'whole' | 'failed' | undefined {
    const { type, data } = this.#typeOf(event)
    if (type === 'message_stop') return 'whole'
    if (type === 'error') return 'failed'
    this.#hasEvents = true
    this.#isKnown ||= isKnown(type) || type === 'ping' || event.name === 'ping'
    if (type === 'message_delta' && isObject(data) && isObject(data.delta)) {
      this.#hasStopped ||= Boolean(data.delta.stop_reason)
    }
    return undefined
  }

  isComplete(): boolean {
    return this.#isKnown ? this.#hasStopped : this.#hasEvents
  }
}
