/** A content block of a message as the API sends it; `type` decides which other keys there are. */
export type ContentBlock = { type: string } & Record<string, unknown>

/** What an error answer says; what is absent gets the API's own words for the status. */
export interface WireError {
  /** The API's name of the error, such as `overloaded_error`, `insufficient_quota` or `ThrottlingException`. */
  type?: string
  message?: string
  /** OpenAI only. */
  code?: string
  /** OpenAI only: the parameter that is to blame. */
  param?: string
}

/** An error that is on its way to a client. */
export interface WireFailure {
  status: number
  requestId: string
  error: WireError
}

/** What goes out in one write: an event of a stream, in its framing. */
export type WirePiece = string | Uint8Array

/** What a script says about a good answer, its text being settled. */
export interface AnswerScript {
  text: string
  content?: ContentBlock[]
  stopReason?: string
}

/** One event of a stream: `type` is also the name of the SSE event. */
export type WireEvent = { type: string } & Record<string, unknown>

/** A good answer, in both of its forms. */
export interface WireAnswer {
  /** The JSON of a call that does not stream. */
  whole: object
  /** Absent where the API does not stream. */
  stream?: WireStream
}

/** An answer as a stream. */
export interface WireStream {
  /** Its events, which fold to the whole. */
  events(): WirePiece[] | Promise<WirePiece[]>
  /** What it ends in when it fails after `sent` events. */
  failure(failure: WireFailure, sent: number): WirePiece | Promise<WirePiece>
}

/** How one API writes its answers. What all of them have in common is in `render.ts`. */
export interface Wire {
  /** Content type of a stream. */
  streamType: string
  /** A new id for one request. */
  requestId(): string
  /** Headers of every answer. */
  headers(requestId: string): Record<string, string>
  /** What the path says and the body does not, as keys of the body. @default nothing */
  fromPath?(path: string): Record<string, unknown>
  /** What is wrong with a request in the words of the API, or undefined when it would be accepted. */
  refusal(request: Record<string, unknown>): WireError | undefined
  answer(request: Record<string, unknown>, script: AnswerScript): WireAnswer
  error(failure: WireFailure): { body: object; headers?: Record<string, string> }
  /** The status an error of this type is sent with; 500 for a type that is not known. */
  statusOf(type: string | undefined): number
}

/** One server-sent event. */
export function sse(data: unknown, event?: string): string {
  const name = event === undefined ? '' : `event: ${event}\n`
  return `${name}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}
