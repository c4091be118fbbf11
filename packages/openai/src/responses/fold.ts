import { type HttpAnswer, isObject, parseObject, readEvents, type ServerEvent } from '@idem/core/dialect'
import { errorAnswer, errorOf } from '../errors.js'
import { readJson } from '../streams.js'
import { endOf, typeOf } from './events.js'

/**
 * The answer a stream amounts to: the response in its last event, or the error it ended with.
 * @throws for a stream that is not whole, or whose last event does not have all that came before it
 */
export function fold(answer: HttpAnswer): HttpAnswer {
  const events = readEvents(answer.body)
  const end = events.findIndex((event) => endOf(event) !== undefined)
  const last = events[end]
  if (!last) throw new TypeError('not a whole stream of a response')
  const data = readJson(last.data)
  const response = isObject(data) ? data.response : undefined
  if (!isObject(response)) {
    const error = errorOf(last)
    if (error !== undefined) return errorAnswer(answer, error)
    throw new TypeError('a stream that ends without its response')
  }
  if (events.slice(end + 1).some(isResponse)) throw new TypeError('a stream that goes on after its end')
  const items = Array.isArray(response.output) ? response.output.length : 0
  if (events.some((event) => itemIn(event) >= items)) throw new TypeError('a response without all its items')
  return { ...answer, body: Buffer.from(JSON.stringify(response)) }
}

function isResponse(event: ServerEvent): boolean {
  return typeOf(event).startsWith('response.')
}

/**
 * The index of an item in an event that has one; -1 for all other events. Some servers leave the items out of the last
 * event.
 */
function itemIn(event: ServerEvent): number {
  if (typeOf(event) !== 'response.output_item.done') return -1
  return Number(parseObject(event.data).output_index ?? 0)
}
