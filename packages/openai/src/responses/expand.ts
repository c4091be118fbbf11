import { eventText, type HttpAnswer, type JsonObject, parseObject } from '@idem/core/dialect'
import { textOf } from '../streams.js'
import { itemEvents } from './items.js'

/** Members that are known only at the end, and null until then. */
const LATE = ['completed_at', 'error', 'incomplete_details', 'usage']

/**
 * The final states, and the event that ends a stream in each. A state of the server alone, `cancelled` or `queued`,
 * ends no stream.
 */
const ENDS = new Map<unknown, string>([
  ['completed', 'response.completed'],
  ['incomplete', 'response.incomplete'],
  ['failed', 'response.failed'],
])

/**
 * The stream that builds up this response, in the events the API would send, each text in one piece. Its last event is
 * the response as it is.
 * @throws for a body that is not a response, or is one that goes on
 */
export function expand(answer: HttpAnswer): HttpAnswer {
  const response = parseObject(textOf(answer))
  const end = ENDS.get(response.status)
  if (!end || !Array.isArray(response.output)) throw new TypeError('not a response that has ended')
  const start = beginning(response)
  const events = [
    { type: 'response.created', response: start },
    { type: 'response.in_progress', response: start },
    ...response.output.flatMap(itemEvents),
    { type: end, response },
  ]
  const texts = events.map((event, sequence_number) =>
    eventText(event.type, JSON.stringify({ ...event, sequence_number })),
  )
  return { ...answer, body: Buffer.from(texts.join('')) }
}

function beginning(response: JsonObject): JsonObject {
  const late = LATE.filter((name) => name in response).map((name) => [name, null])
  return { ...response, ...Object.fromEntries(late), status: 'in_progress', output: [] }
}
