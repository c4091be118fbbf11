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
   * cost. Never asked about answers outside 2xx, which are not stored.
   */
  assess(
    request: HttpRequest,
    answer: HttpAnswer,
  ): { readonly keep: 'store' | 'share'; readonly tokens?: Tokens }
  /** The body of an error of idem, in the provider's error shape. */
  errorBody(error: { readonly code: string; readonly status: number; readonly message: string }): unknown
}
