import type { Wire, WireError } from './wire.js'
import { wireId } from './wire-text.js'

/** The errors of OpenAI's API. A type or a code may belong to several statuses: the first is meant. */
const errors: { status: number; type: string; code: string | null; message: string }[] = [
  { status: 400, type: 'invalid_request_error', code: null, message: 'The request is not valid.' },
  {
    status: 401,
    type: 'invalid_request_error',
    code: 'invalid_api_key',
    message: 'Incorrect API key provided.',
  },
  {
    status: 403,
    type: 'request_forbidden',
    code: 'unsupported_country_region_territory',
    message: 'Country, region, or territory not supported',
  },
  {
    status: 404,
    type: 'invalid_request_error',
    code: 'model_not_found',
    message: 'The model does not exist or you do not have access to it.',
  },
  { status: 429, type: 'requests', code: 'rate_limit_exceeded', message: 'Rate limit reached.' },
  {
    status: 429,
    type: 'insufficient_quota',
    code: 'insufficient_quota',
    message: 'You exceeded your current quota, please check your plan and billing details.',
  },
  {
    status: 500,
    type: 'server_error',
    code: null,
    message: 'The server had an error while processing your request.',
  },
]

const named = (type: string | undefined) => errors.find((one) => one.type === type || one.code === type)

/** The `error` of a body or an event, completed with what OpenAI says for the type or the status. */
export function openaiError(status: number, error: WireError) {
  const usual =
    named(error.type) ??
    errors.find((one) => one.status === status) ??
    errors.find((one) => one.status === (status >= 500 ? 500 : 400))!
  return {
    message: error.message ?? usual.message,
    type: error.type ?? usual.type,
    param: error.param ?? null,
    code: error.code ?? usual.code,
  }
}

/** What OpenAI's endpoints have in common. Each requires a model and what is named in `required`. */
export function openaiWire(required: string): Omit<Wire, 'answer'> {
  return {
    streamType: 'text/event-stream; charset=utf-8',
    requestId: () => wireId('req_'),
    headers: (requestId) => ({ 'x-request-id': requestId, 'openai-version': '2020-10-01' }),
    refusal(request) {
      const param = ['model', required].find((name) => request[name] === undefined)
      if (param === undefined) return undefined
      return { message: `Missing required parameter: '${param}'.`, param, code: 'missing_required_parameter' }
    },
    error: ({ status, error }) => ({ body: { error: openaiError(status, error) } }),
    statusOf: (type) => named(type)?.status ?? 500,
  }
}
