import { buildMessage, cloudRefusal, messageAnswer, messagesWire } from './messages-wire.js'
import type { Wire } from './wire.js'
import { wireId } from './wire-text.js'

/** Google's own answers, given before the request reaches the model. */
const statuses: Readonly<Record<number, [status: string, message: string]>> = {
  401: ['UNAUTHENTICATED', 'Request had invalid authentication credentials.'],
  403: ['PERMISSION_DENIED', 'Permission denied on the resource.'],
  404: ['NOT_FOUND', 'The publisher model was not found.'],
  429: ['RESOURCE_EXHAUSTED', 'Quota exceeded for online prediction requests.'],
  503: ['UNAVAILABLE', 'The service is currently unavailable.'],
}

/**
 * Messages on Vertex AI: the path holds the model, and errors come in two shapes, Google's own for what Google
 * refuses and Anthropic's for what the model does.
 */
export const vertexWire: Wire = {
  ...messagesWire,
  requestId: () => wireId('req_vrtx_01'),
  headers: (requestId) => ({ 'request-id': requestId }),
  fromPath(path) {
    const [, model, method] = /([^/]+):(\w+)$/.exec(path)!
    return { model: decodeURIComponent(model!), stream: method === 'streamRawPredict' }
  },
  refusal: cloudRefusal,
  answer: (request, script) => messageAnswer(buildMessage(request, script, 'msg_vrtx_01')),
  error(failure) {
    const { status: code, error } = failure
    const own = statuses[code]
    if (!own || (error.type !== undefined && error.type !== own[0])) return messagesWire.error(failure)
    return { body: { error: { code, message: error.message ?? own[1], status: own[0] } } }
  },
  statusOf(type) {
    const own = Object.entries(statuses).find(([, [status]]) => status === type)
    return own ? Number(own[0]) : messagesWire.statusOf(type)
  },
}
