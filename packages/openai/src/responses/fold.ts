import { type HttpAnswer, isObject, parseObject, readEvents } from '@idem/core'
import { errorAnswer } from '../errors.js'
import { endOf, typeOf } from './events.js'

/**
 * The answer a stream amounts to: the response in its last event, or the error it ended with.
 * @throws for a stream that is not whole
 */
export function fold(answer: HttpAnswer): HttpAnswer {
  const last = readEvents(answer.body).find((event) => endOf(event) !== undefined)
  if (!last) throw new TypeError('not a whole stream of a response')
  const { response, error, ...event } = parseObject(last.data)
  if (typeOf(last) === 'error') {
    const { message, code = null, param = null } = event
    return errorAnswer(answer, error ?? { message, type: 'server_error', param, code })
  }
  if (!isObject(response)) throw new TypeError('a stream that ends without its response')
  return { ...answer, body: Buffer.from(JSON.stringify(response)) }
}
