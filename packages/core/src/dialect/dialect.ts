import type { JsonObject } from '../json.js'
import type { PriceList } from '../usage/prices.js'
import type { Usage } from '../usage/usage.js'

/** One request, as SDK middleware and `fetch` see it. */
export interface HttpRequest {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  /** The body as text; a JSON object for the requests of a dialect. */
  readonly body: string
  readonly signal?: AbortSignal | null
}

/** One whole answer. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

/** What a request is, in its provider's terms. */
export interface Identity {
  /**
   * The body as the provider reads it, without what only says how the answer is delivered. All of it is in the key:
   * what a dialect does not know may change the answer.
   */
  readonly body: JsonObject
  /** What of the headers changes the answer, as JSON. */
  readonly headers: JsonObject
  /** Whose request it is: all credentials it shows. Only a digest is used. Undefined when it shows none. */
  readonly credential: string | undefined
  /** Whether the answer is asked for as a stream. */
  readonly streaming: boolean
  /** Whether it asks for variety: sampling that is random on purpose, such as an explicit temperature over 0. */
  readonly isSampled: boolean
  /** Whether it is an SDK's further try of a request it has sent before. */
  readonly isRetry: boolean
}

/** What becomes of a successful answer. */
export interface Assessment {
  /**
   * - `store`: it is for everybody until its ttl.
   * - `tool-calls`: the same, but it asks for tools to be called. Stored only with `toolCalls: 'store'`.
   * - `share`: for those who wait for it now, e.g. since it can be used once.
   */
  readonly keep: 'store' | 'tool-calls' | 'share'
  /** The model that answered, as prices name it. */
  readonly model?: string
  /** What it used; what is not counted is left out. */
  readonly usage?: Partial<Usage>
}

/** One provider's wire protocol: which requests, what is in the key, what may be stored, what it cost. */
export interface Dialect {
  /** The door of its requests, e.g. `messages`. Part of every key. */
  readonly door: string
  /** Whether a request with this method and URL is of this dialect. */
  matches(request: Pick<HttpRequest, 'method' | 'url'>): boolean
  /** What the request with these headers and this body is. Throws when it is none: it then passes through. */
  identify(headers: Headers, body: JsonObject): Identity
  /**
   * Whether a successful answer to this body may be stored, and what it cost. Never asked about answers outside 2xx,
   * which are not stored, nor about streams: they are folded before. Throws when it is no such answer.
   */
  assess(answer: JsonObject, body: JsonObject): Assessment
  /** The body of an error of idem, in the provider's error shape. */
  errorBody(error: { readonly code: string; readonly status: number; readonly message: string }): unknown
  /** How its streams are read. Optional: without it requests for a stream pass through untouched. */
  readonly streams?: StreamFormat
  /** What its models cost. Optional: without it savings are tokens and no dollars. */
  readonly prices?: PriceList
}

/**
 * How one provider streams an answer as server-sent events (WHATWG HTML, 9.2). A stream and a whole answer are two
 * forms of one message: `fold` and `expand` lead from one to the other without loss.
 */
export interface StreamFormat {
  /** Follows one stream. */
  inspect(): StreamInspector
  /**
   * The JSON answer a whole stream amounts to; an error answer where the stream ended in an error. Throws where it
   * cannot tell: a caller that wants JSON then makes its own call.
   */
  fold(answer: HttpAnswer): HttpAnswer
  /** The stream a JSON answer amounts to. Throws where it cannot tell. */
  expand(answer: HttpAnswer): HttpAnswer
  /** Bytes that say nothing and keep a connection alive. */
  readonly ping: string
  /** An error answer's body as the last event of a stream whose headers have gone out. */
  errorEvent(body: Uint8Array): string
}

/** Watches one stream go by; it never changes it. */
export interface StreamInspector {
  /** Never throws, whatever the bytes are. */
  push(bytes: Uint8Array): void
  /** `whole` when the event that ends an answer has been seen, `failed` when it was an error: nothing comes after it. */
  readonly state: 'running' | 'whole' | 'failed'
}
