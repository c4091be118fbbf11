import type { WireError } from './wire.js'

/** The `error.type` the Messages API sends with each HTTP status. */
export const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
}

const messages: Readonly<Record<number, string>> = {
  401: 'invalid x-api-key',
  403: 'Your API key does not have permission to use the specified resource',
  404: 'Not found',
  413: 'Request exceeds the maximum size',
  429: 'This request would exceed the rate limit of your organization',
  500: 'Internal server error',
  529: 'Overloaded',
}

/** The body of an error answer, and the data of an `error` event inside a stream. */
export interface ErrorBody {
  type: 'error'
  error: { type: string; message: string }
  request_id: string
}

/** The error type of a status; a status the API has no type of its own for gets its class's general one. */
export function errorTypeOf(status: number): string {
  return errorTypes[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
}

/** The status an error type is sent with; 500 for a type that is not known. */
export function statusOf(type: string | undefined): number {
  const known = Object.entries(errorTypes).find(([, name]) => name === type)
  return known ? Number(known[0]) : 500
}

/** An error body with the right type for the status, and the API's kind of message where none is given. */
export function errorBody(status: number, requestId: string, error: WireError = {}): ErrorBody {
  return {
    type: 'error',
    error: {
      type: error.type ?? errorTypeOf(status),
      message: error.message ?? messages[status] ?? 'Error',
    },
    request_id: requestId,
  }
}

/** What is wrong with a request body in the words of the API, or undefined when it would be accepted. */
export function validationError(body: Record<string, unknown>): string | undefined {
  const { model, max_tokens: maxTokens, messages: turns } = body
  if (model === undefined) return 'model: Field required'
  if (typeof model !== 'string' || model === '') return 'model: Input should be a valid string'
  if (maxTokens === undefined) return 'max_tokens: Field required'
  if (!Number.isInteger(maxTokens) || (maxTokens as number) < 0) {
    return 'max_tokens: Input should be a valid integer'
  }
  if (turns === undefined) return 'messages: Field required'
  if (!Array.isArray(turns)) return 'messages: Input should be a valid list'
  if (turns.length === 0) return 'messages: at least one message is required'
  for (const [index, turn] of turns.entries()) {
    if (typeof turn?.role !== 'string') return `messages.${index}.role: Field required`
    if (turn.content === undefined) return `messages.${index}.content: Field required`
  }
  return undefined
}
