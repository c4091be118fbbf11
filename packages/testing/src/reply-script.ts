import { errorBody, statusOf } from './errors-wire.js'
import { buildMessage, type ContentBlock, frame, toEvents, wireId } from './messages-wire.js'

/** How the provider answers a call. An empty script is a good answer at once. */
export interface ReplyScript {
  /** Milliseconds before the headers are sent. @default 0 */
  latencyMs?: number
  /** Text of the answer. @default a text that is different for every call and contains the call's number */
  text?: string
  /** Content blocks of the answer, instead of `text`. */
  content?: ContentBlock[]
  /** @default 'end_turn' */
  stopReason?: string
  /** HTTP status; 400 and above send an error body of the matching type. @default 200, or what `error.type` is sent with */
  status?: number
  /** Headers on top of the usual ones; the same name replaces. */
  headers?: Record<string, string>
  /**
   * An error answer. For a streaming call with an explicit `status: 200` it is sent as an `error`
   * event in the middle of the stream, which is how the API fails after its headers.
   */
  error?: { type?: string; message?: string }
  /** `true`: no headers, ever. `'mid-body'`: half of the body, then silence. Ends when the client leaves. */
  hang?: true | 'mid-body'
  /**
   * `'before-headers'`: the connection is reset (ECONNRESET), nothing having been answered.
   * `'mid-body'`: half of the body is sent and the connection is closed without the end.
   */
  drop?: 'before-headers' | 'mid-body'
  /** Raw body, sent as it is instead of the built one. */
  body?: string | Uint8Array
  /** Milliseconds between two pieces of the body: SSE events, or the two halves of any other body. @default 0 */
  chunkDelayMs?: number
  /** Called before each piece of the body; it is sent when what this returns has resolved. */
  beforeChunk?: (index: number, count: number) => unknown
}

/** What is sent: the whole is known before the first byte. */
export interface RenderedReply {
  status: number
  headers: Record<string, string>
  chunks: Buffer[]
}

/** Headers and body of the answer that `script` gives to the body `request`. `callNumber` counts from one. */
export function render(
  script: ReplyScript,
  request: Record<string, unknown>,
  callNumber: number,
): RenderedReply {
  const requestId = wireId('req')
  const streaming = request.stream === true
  const failsMidStream = Boolean(script.error) && script.status === 200 && streaming
  const status = failsMidStream ? 200 : errorStatus(script)
  const sse = streaming && status < 400

  const chunks = script.body === undefined ? built() : pieces(script.body, sse)
  const headers: Record<string, string> = {
    'content-type': sse ? 'text/event-stream; charset=utf-8' : 'application/json',
    'request-id': requestId,
    'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
  }
  if (sse) headers['cache-control'] = 'no-cache'
  else headers['content-length'] = String(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  for (const [name, value] of Object.entries(script.headers ?? {})) headers[name.toLowerCase()] = value
  return { status, headers, chunks }

  function built(): Buffer[] {
    if (status >= 400) return pieces(JSON.stringify(errorBody(status, requestId, script.error)), false)
    const content = script.content ?? [
      { type: 'text', text: script.text ?? answer(callNumber), citations: null },
    ]
    const message = buildMessage(request, content, script.stopReason ?? 'end_turn')
    if (!streaming) return pieces(JSON.stringify(message), false)
    const frames = toEvents(message).map(frame)
    if (failsMidStream) {
      const error = errorBody(statusOf(script.error?.type), requestId, script.error)
      frames.splice(Math.ceil(frames.length / 2), Number.POSITIVE_INFINITY, frame({ ...error }))
    }
    return frames.map((text) => Buffer.from(text))
  }
}

function errorStatus(script: ReplyScript): number {
  if (!script.error) return script.status ?? 200
  // An error in a body that is not a stream cannot come with a 200.
  const explicit = script.status !== undefined && script.status >= 400 ? script.status : undefined
  return explicit ?? statusOf(script.error.type)
}

/** Long enough for several deltas; the random part keeps two providers, or two runs, apart. */
function answer(callNumber: number): string {
  return `This is the answer to call ${callNumber}, with the mark ${wireId('msg').slice(-8)} of its own.`
}

/** Whole events of an SSE body, two halves of any other, so that there is always a middle. */
function pieces(body: string | Uint8Array, sse: boolean): Buffer[] {
  if (sse && typeof body === 'string') return body.split(/(?<=\n\n)/).map((text) => Buffer.from(text))
  const bytes = Buffer.from(body as string)
  const middle = Math.ceil(bytes.length / 2)
  return [bytes.subarray(0, middle), bytes.subarray(middle)].filter((half) => half.length > 0)
}
