import type { Tokens } from '../stats.js'

/** One request, as SDK middleware and `fetch` see it. */
export interface HttpRequest {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  /** The body as text; JSON for the requests of a dialect. */
  readonly body: string
  readonly signal?: AbortSignal | null
}

/** One whole answer. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

/** What makes a request the same as another, in its provider's terms. */
export interface Identity {
  /** Everything that changes the answer, as JSON. */
  readonly payload: unknown
  /** Whose request it is: all credentials it shows. Only a digest is used. Undefined when it shows none. */
  readonly credential: string | undefined
  /** Whether the answer is asked for as a stream. */
  readonly streaming: boolean
}

/** One provider's wire protocol: which requests, what is in the key, what may be stored, what it cost. */
export interface Dialect {
  /** The door of its requests, e.g. `messages`. Part of every key. */
  readonly door: string
  /** Whether a request with this method and URL is of this dialect. */
  matches(request: Pick<HttpRequest, 'method' | 'url'>): boolean
  /** What the request is. Throws when the body is none of this dialect: the request then passes through. */
  identify(request: HttpRequest): Identity
  /**
   * Whether a successful answer is for everybody until its ttl, or only for those who wait for it now, and what it
   * cost. Never asked about answers outside 2xx, which are not stored, nor about streams: they are folded before.
   */
  assess(
    request: HttpRequest,
    answer: HttpAnswer,
  ): { readonly keep: 'store' | 'share'; readonly tokens?: Tokens }
  /** The body of an error of idem, in the provider's error shape. */
  errorBody(error: { readonly code: string; readonly status: number; readonly message: string }): unknown
  /** How its streams are read. Optional: without it requests for a stream pass through untouched. */
  readonly streams?: StreamFormat
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
