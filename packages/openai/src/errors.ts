import { type HttpAnswer, isObject, type JsonObject, parseObject } from '@idem/core'

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

/** The answer an error would have been if it had not come after the 200 of a stream. */
export function errorAnswer(answer: HttpAnswer, error: unknown): HttpAnswer {
  const { code, type } = isObject(error) ? error : {}
  const status = STATUS.get(code) ?? STATUS.get(type) ?? 500
  return { ...answer, status, body: Buffer.from(JSON.stringify({ error })) }
}

/** The error that an error answer's body tells of; in words where it is none of OpenAI's, but a gateway's page, say. */
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
