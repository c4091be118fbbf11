/** The status that goes with each type of error (docs.anthropic.com, API errors). */
const STATUS: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

/** The status an error would have had as an answer of its own: in a stream it comes after a 200. */
export function statusOf(type: unknown): number {
  return STATUS[String(type)] ?? 500
}

/** The type of an error of idem with this status. */
export function errorType(status: number): string {
  if (status === 504) return 'timeout_error'
  return status >= 500 ? 'api_error' : 'invalid_request_error'
}
