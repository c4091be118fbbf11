import { errorBody } from './errors-wire.js'
import { buildMessage, cloudRefusal, messagesWire, toEvents, type WireMessage } from './messages-wire.js'
import type { Wire, WireStream } from './wire.js'

/** AWS's name of each status. */
const exceptions: Readonly<Record<number, [name: string, message: string]>> = {
  400: ['ValidationException', 'The request is not valid.'],
  403: ['AccessDeniedException', "You don't have access to the model with the specified model ID."],
  404: ['ResourceNotFoundException', 'Could not resolve the foundation model from the model identifier.'],
  408: ['ModelTimeoutException', 'The model took too long to answer.'],
  424: ['ModelErrorException', 'The model has failed.'],
  429: ['ThrottlingException', 'Too many requests, please wait before trying again.'],
  500: ['InternalServerException', 'The system encountered an unexpected error.'],
  503: ['ServiceUnavailableException', 'The service is not available.'],
}

function exceptionOf(status: number): [name: string, message: string] {
  return exceptions[status] ?? exceptions[status >= 500 ? 500 : 400]!
}

/** Messages on Amazon Bedrock: the path holds model and mode, and a stream is AWS's binary event stream. */
export const bedrockWire: Wire = {
  ...messagesWire,
  streamType: 'application/vnd.amazon.eventstream',
  requestId: () => crypto.randomUUID(),
  headers: (requestId) => ({ 'x-amzn-requestid': requestId }),
  fromPath(path) {
    const [, model, stream] = /\/model\/([^/]+)\/invoke(-with-response-stream)?$/.exec(path)!
    return { model: decodeURIComponent(model!), stream: stream !== undefined }
  },
  refusal: cloudRefusal,
  answer(request, script) {
    const whole = buildMessage(request, script, 'msg_bdrk_01')
    return { whole, stream: streamOf(whole) }
  },
  error({ status, error }) {
    const [name, message] = exceptionOf(status)
    return {
      body: { message: error.message ?? message },
      headers: {
        'x-amzn-errortype': `${error.type ?? name}:http://internal.amazon.com/coral/com.amazon.bedrock/`,
      },
    }
  },
  statusOf(type) {
    const own = Object.entries(exceptions).find(([, [name]]) => name === type)
    return own ? Number(own[0]) : messagesWire.statusOf(type)
  },
}

function streamOf(whole: WireMessage): WireStream {
  return {
    events() {
      const { input_tokens: inputTokenCount, output_tokens: outputTokenCount } = whole.usage
      const metrics = { inputTokenCount, outputTokenCount, invocationLatency: 1, firstByteLatency: 1 }
      const events = toEvents(whole)
      // What Bedrock itself has counted rides on the last event.
      Object.assign(events.at(-1)!, { 'amazon-bedrock-invocationMetrics': metrics })
      return Promise.all(events.map(chunk))
    },
    failure({ status, requestId, error }) {
      const [name, message] = exceptionOf(status)
      const type = error.type ?? name
      // The model's own failure is one more chunk; AWS's is a frame of another kind.
      if (!type.endsWith('Exception')) return chunk(errorBody(status, requestId, error))
      const kind = type[0]!.toLowerCase() + type.slice(1)
      return encode(
        { 'message-type': 'exception', 'exception-type': kind },
        { message: error.message ?? message },
      )
    },
  }
}

/** One event of the Messages API, with the padding `p` that the service adds. */
function chunk(event: object): Promise<Uint8Array> {
  const bytes = Buffer.from(JSON.stringify(event)).toString('base64')
  return encode({ 'message-type': 'event', 'event-type': 'chunk' }, { bytes, p: 'abcdefghijklmnopqrstuvwx' })
}

async function encode(headers: Record<string, string>, body: object): Promise<Uint8Array> {
  // Imported here and not at the top: it loads more slowly than all of our own code, and few tests need it.
  const { EventStreamCodec } = await import('@smithy/eventstream-codec')
  const codec = new EventStreamCodec(
    (bytes) => Buffer.from(bytes as Uint8Array).toString(),
    (text) => Buffer.from(text),
  )
  const all = { ...headers, 'content-type': 'application/json' }
  return codec.encode({
    headers: Object.fromEntries(
      Object.entries(all).map(([name, value]) => [`:${name}`, { type: 'string' as const, value }]),
    ),
    body: Buffer.from(JSON.stringify(body)),
  })
}
