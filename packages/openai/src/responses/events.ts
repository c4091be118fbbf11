import { type EventWatch, isObject, type ServerEvent } from '@idem/core/dialect'
import { errorOf } from '../errors.js'
import { readJson } from '../streams.js'

/** The events that end a stream. A stream that ends with an incomplete answer is whole, too. */
const ENDS = new Map<string, 'whole' | 'failed'>([
  ['response.completed', 'whole'],
  ['response.incomplete', 'whole'],
  ['response.failed', 'failed'],
])

/** Whether this event ends its stream, and how. */
export function endOf(event: ServerEvent, type = typeOf(event)): 'whole' | 'failed' | undefined {
  return ENDS.get(type) ?? (errorOf(event) === undefined ? undefined : 'failed')
}

/**
 * As in the SDK, the `type` in the data decides. OpenAI names its events as well; some relays name none of them, or
 * call all of them `message`.
 */
export function typeOf({ name, data }: ServerEvent): string {
  const event = readJson(data)
  return isObject(event) && typeof event.type === 'string' ? event.type : name
}

/** Follows one stream. Only its last event has the response, so without it there is no answer. */
export class ResponseWatch implements EventWatch {
  #hasEvents = false
  #isKnown = false

  endOf(event: ServerEvent, isCut: boolean): 'whole' | 'failed' | undefined {
    this.#hasEvents = true
    const type = typeOf(event)
    this.#isKnown ||= type.startsWith('response.')
    // The name of an event says nothing about data that was cut off.
    return isCut && !isObject(readJson(event.data)) ? undefined : endOf(event, type)
  }

  /** A stream of another kind is left to its callers. */
  isComplete(): boolean {
    return this.#hasEvents && !this.#isKnown
  }
}
