import { type HttpAnswer, isObject, type JsonObject } from '@idem/core/dialect'

/** The HTTP status of each type of error (docs.anthropic.com, API errors). */
const STATUS: ReadonlyMap<unknown, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
])

/**
 * An error event as the HTTP error it would have been before the 200. Always in the API's shape, whichever server sent
 * it.
 */
export function errorAnswer(answer: HttpAnswer, data: unknown): HttpAnswer {
  const body = isObject(data) && isObject(data.error) ? data : { type: 'error', error: flatError(data) }
  const { type } = body.error as JsonObject
  return { ...answer, status: STATUS.get(type) ?? 500, body: Buffer.from(JSON.stringify(body)) }
}

/** An error as relays send it: a text, or an object that holds the message directly. */
function flatError(data: unknown): JsonObject {
  const { type, message, error } = isObject(data) ? data : { error: data }
  const text = [message, error].find((one) => typeof one === 'string')
  return { type: STATUS.has(type) ? type : 'api_error', message: text ?? JSON.stringify(data) }
}

/** The type of an error of idem with this status. */
export function errorType(status: number): string {
  if (status === 504) return 'timeout_error'
  return status >= 500 ? 'api_error' : 'invalid_request_error'
}
