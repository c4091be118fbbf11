import { type HttpAnswer, isObject, type JsonObject, parseObject, type ServerEvent } from '@idem/core/dialect'
import { readJson } from './streams.js'

/** The status that goes with each type or code of error (platform.openai.com, Error codes). */
const STATUS = new Map<unknown, number>([
  ['invalid_request_error', 400],
  ['invalid_prompt', 400],
  ['authentication_error', 401],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['insufficient_quota', 429],
  ['requests', 429],
  ['tokens', 429],
])

/** An error of idem in the shape of OpenAI's. The SDK's APIError has its code as `code`. */
export function errorBody({ code, status, message }: { code: string; status: number; message: string }) {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error'
  return { error: { message, type, param: null, code } }
}

/** An error event as the HTTP error it would have been before the 200. */
export function errorAnswer(answer: HttpAnswer, error: unknown): HttpAnswer {
  const { code, type } = isObject(error) ? error : {}
  const status = STATUS.get(code) ?? STATUS.get(type) ?? (isErrorStatus(code) ? code : 500)
  return { ...answer, status, body: Buffer.from(JSON.stringify({ error })) }
}

/** Gateways give the status of the server behind them as the code. */
function isErrorStatus(code: unknown): code is number {
  return Number.isInteger(code) && Number(code) >= 400 && Number(code) <= 599
}

/**
 * The error in an event of a stream; undefined if the event is not an error. OpenAI puts it in the member `error`.
 * Other servers send it as the data itself: then the name of the event, its `type` or its `object` says so.
 */
export function errorOf({ name, data }: ServerEvent): unknown {
  if (name !== 'error' && !data.includes('error')) return undefined
  const event = readJson(data)
  if (isObject(event) && event.error) return event.error
  if (isObject(event) && [name, event.type, event.object].includes('error')) {
    const { message = data, type, code = null, param = null } = event
    return {
      message,
      type: typeof type === 'string' && type !== 'error' ? type : 'server_error',
      param,
      code,
    }
  }
  if (name !== 'error') return undefined
  return { message: typeof event === 'string' ? event : data, type: 'server_error', param: null, code: null }
}

/**
 * The error in the body of an error answer. Where the body is not OpenAI's, a gateway's page say, the error is a
 * sentence.
 */
export function errorIn(body: Uint8Array): JsonObject {
  const text = new TextDecoder().decode(body)
  try {
    const { error } = parseObject(text)
    if (isObject(error)) return error
  } catch {
    // Told below.
  }
  return { message: text, type: 'server_error', param: null, code: null }
}
