import type { Wire, WirePiece } from '../wires/wire.js'
import { wireId } from '../wires/wire-text.js'
import type { ReplyScript } from './reply-script.js'

/** What is sent: the whole is known before the first byte. */
export interface RenderedReply {
  status: number
  headers: Record<string, string>
  chunks: Buffer[]
}

const json = 'application/json'

/** Headers and body of the answer that `script` gives to `request`. `callNumber` counts from one. */
export async function render(
  wire: Wire,
  script: ReplyScript,
  request: Record<string, unknown>,
  callNumber: number,
): Promise<RenderedReply> {
  const streaming = request.stream === true
  const failsMidStream = Boolean(script.error) && script.status === 200 && streaming
  const status = failsMidStream ? 200 : errorStatus(wire, script)
  if (status >= 400) return renderError(wire, status, script)

  const requestId = wire.requestId()
  const headers = { 'content-type': streaming ? wire.streamType : json, ...wire.headers(requestId) }
  return finish(status, headers, script, script.body ?? (await built()))

  async function built(): Promise<WirePiece | WirePiece[]> {
    const answer = wire.answer(request, { ...script, text: script.text ?? ownText(callNumber) })
    if (!streaming || !answer.stream) return JSON.stringify(answer.whole)
    const events = await answer.stream.events()
    if (failsMidStream) {
      const sent = Math.ceil(events.length / 2)
      const error = script.error ?? {}
      const failure = { status: wire.statusOf(error.type), requestId, error }
      events.splice(sent, Number.POSITIVE_INFINITY, await answer.stream.failure(failure, sent))
    }
    return events
  }
}

/** An error answer in the shape of the API. */
export function renderError(
  wire: Wire,
  status: number,
  script: Pick<ReplyScript, 'error' | 'body' | 'headers'> = {},
): RenderedReply {
  const requestId = wire.requestId()
  const { body, headers } = wire.error({ status, requestId, error: script.error ?? {} })
  const all = { 'content-type': json, ...wire.headers(requestId), ...headers }
  return finish(status, all, script, script.body ?? JSON.stringify(body))
}

function errorStatus(wire: Wire, script: ReplyScript): number {
  if (!script.error) return script.status ?? 200
  // An error in a body that is not a stream cannot come with a 200.
  const explicit = script.status !== undefined && script.status >= 400 ? script.status : undefined
  return explicit ?? wire.statusOf(script.error.type)
}

/** Long enough for several deltas; the random part keeps two providers, or two runs, apart. */
function ownText(callNumber: number): string {
  return `This is the answer to call ${callNumber}, with the mark ${wireId('').slice(-8)} of its own.`
}

function finish(
  status: number,
  wireHeaders: Record<string, string>,
  script: ReplyScript,
  body: WirePiece | WirePiece[],
): RenderedReply {
  const type = wireHeaders['content-type']!
  const chunks = Array.isArray(body)
    ? body.map((piece) => Buffer.from(piece as string))
    : cut(body, type.startsWith('text/event-stream'))
  const headers = { ...wireHeaders }
  if (type === json) headers['content-length'] = String(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  else headers['cache-control'] = 'no-cache'
  for (const [name, value] of Object.entries(script.headers ?? {})) headers[name.toLowerCase()] = value
  return { status, headers, chunks }
}

/** Whole events of an SSE body, two halves of any other, so that there is always a middle. */
function cut(body: WirePiece, isEvents: boolean): Buffer[] {
  if (isEvents && typeof body === 'string') return body.split(/(?<=\n\n)/).map((text) => Buffer.from(text))
  const bytes = Buffer.from(body as string)
  const middle = Math.ceil(bytes.length / 2)
  return [bytes.subarray(0, middle), bytes.subarray(middle)].filter((half) => half.length > 0)
}
