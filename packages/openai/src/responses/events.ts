import { isObject, type ServerEvent } from '@idem/core'
import { readJson } from '../streams.js'

/** The events that end a stream; one that ends with its answer incomplete is whole. */
const ENDS = new Map<string, 'whole' | 'failed'>([
  ['response.completed', 'whole'],
  ['response.incomplete', 'whole'],
  ['response.failed', 'failed'],
  ['error', 'failed'],
])

/** Whether this event ends its stream, and how. */
export function endOf(event: ServerEvent): 'whole' | 'failed' | undefined {
  return ENDS.get(typeOf(event))
}

/** OpenAI names its events; some who speak its protocol leave that to the data, which is what the SDK reads. */
export function typeOf({ name, data }: ServerEvent): string {
  if (name) return name
  const event = readJson(data)
  return isObject(event) ? String(event.type) : ''
}
