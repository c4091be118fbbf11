import type { ContentBlock, WireError } from '../wires/wire.js'

/** How the provider answers a call. An empty script is a good answer at once. */
export interface ReplyScript {
  /** Milliseconds before the headers are sent. @default 0 */
  latencyMs?: number
  /**
   * Text of the answer; an embedding is drawn from it and the input.
   * @default a text that is different for every call and contains the call's number
   */
  text?: string
  /** Content blocks of the answer, instead of `text`. OpenAI's answers have the text only. */
  content?: ContentBlock[]
  /**
   * Why the answer ends, in the words of the API: a Message's `stop_reason`, a chat's `finish_reason`, what
   * makes a Response `incomplete`. @default 'end_turn', 'stop', nothing
   */
  stopReason?: string
  /** HTTP status; 400 and above send an error body of the matching type. @default 200, or what `error.type` is sent with */
  status?: number
  /** Headers on top of the usual ones; the same name replaces. */
  headers?: Record<string, string>
  /**
   * An error answer. For a streaming call with an explicit `status: 200` it is sent as an error
   * event in the middle of the stream, which is how an API fails after its headers.
   */
  error?: WireError
  /** `true`: no headers, ever. `'mid-body'`: half of the body, then silence. Ends when the client leaves. */
  hang?: true | 'mid-body'
  /**
   * `'before-headers'`: the connection is reset (ECONNRESET), nothing having been answered.
   * `'mid-body'`: half of the body is sent and the connection is closed without the end.
   */
  drop?: 'before-headers' | 'mid-body'
  /** Raw body, sent as it is instead of the built one. */
  body?: string | Uint8Array
  /** Milliseconds between two pieces of the body: events, or the two halves of any other body. @default 0 */
  chunkDelayMs?: number
  /** Called before each piece of the body; it is sent when what this returns has resolved. */
  beforeChunk?: (index: number, count: number) => unknown
}
