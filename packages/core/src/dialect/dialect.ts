import { InvalidArgumentError } from '../errors/caller-errors.js'
import type { PriceList } from '../observe/prices.js'
import type { Usage } from '../observe/usage.js'
import { assertSpecVersion } from '../util/assert.js'
import type { JsonObject } from '../util/json.js'

/** One request, as middleware and `fetch` see it. */
export interface HttpRequest {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  /** The body as text; a JSON object for the requests of a dialect. */
  readonly body: string
  readonly signal?: AbortSignal | null
  /**
   * Other settings of the caller that may change the answer, e.g. `{ redirect: 'manual' }`. Part of the key.
   * @default nothing
   */
  readonly init?: JsonObject
}

/** One whole answer. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

/** A request, in its provider's terms. */
export interface Identity {
  /**
   * The body as the provider reads it, without what only says how the answer is delivered. All of it is in the key:
   * what a dialect does not know may change the answer.
   */
  readonly body: JsonObject
  /** Whether it asks for a stream. */
  readonly streaming: boolean
  /** Whether it asks for variety: sampling that is random on purpose, such as an explicit temperature over 0. */
  readonly isSampled: boolean
}

/** What becomes of a successful answer. */
export interface Assessment {
  /**
   * - `store`: it is for everybody until its ttl.
   * - `tool-calls`: the same, but it asks for tools to be called. Stored only with `toolCalls: 'store'`.
   * - `share`: for those who wait for it now, e.g. because it can be used once.
   */
  readonly keep: 'store' | 'tool-calls' | 'share'
  /** The model that answered, as prices name it. */
  readonly model?: string
  /** What the answer used. Counts that the provider did not give are left out. */
  readonly usage?: Partial<Usage>
  /** Why it is not stored, if something in it was not understood. A fixed text, logged once as a warning. */
  readonly doubt?: string
}

/** The version of {@link Dialect}. A dialect says which one it keeps; core refuses another. */
export const DIALECT_SPEC_VERSION = 1

/** One provider's wire protocol: which requests, what is in the key, what may be stored, what it cost. */
export interface Dialect {
  /** 1. A dialect of another version is refused, with what to update. */
  readonly specVersion: typeof DIALECT_SPEC_VERSION
  /** The door of its requests, e.g. `messages`. Part of every key. */
  readonly door: string
  /** Whether a request with this method and URL is of this dialect. */
  matches(request: Pick<HttpRequest, 'method' | 'url'>): boolean
  /** Reads a request of this body. Throws when it is not one of this dialect: it then passes through. */
  identify(body: JsonObject): Identity
  /**
   * Names of the headers that show whose request it is, in lower case, e.g. `authorization`. Requests share within
   * one credential; a request that shows none is not shared unless it is given a scope. All other headers are in the
   * key, but for those known to be harmless.
   */
  readonly credentialHeaders: readonly string[]
  /** Names of headers that hold a list in any order, in lower case, e.g. `anthropic-beta`. @default none */
  readonly setHeaders?: readonly string[]
  /**
   * Whether a successful answer to this body may be stored, and what it cost. Never asked about answers outside 2xx,
   * which are not stored, nor about streams: they are folded before. Throws when it is not such an answer; the message of a
   * `TypeError` may be logged, so it quotes nothing of the answer.
   */
  assess(answer: JsonObject, body: JsonObject): Assessment
  /** The body of an error of idem, in the provider's error shape. */
  errorBody(error: { readonly code: string; readonly status: number; readonly message: string }): unknown
  /**
   * How its streams are read. Optional: without it a request for a stream is not shared, which is told once in a warning.
   */
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
   * The JSON answer a stream amounts to, exactly, whether its last event came or not; an error answer where the stream
   * ended in an error. Throws where the whole cannot be known with certainty: a caller that wants JSON then makes its
   * own call, and the stream is not stored. The message of a `TypeError` may be logged, so it quotes nothing of the
   * answer.
   */
  fold(answer: HttpAnswer): HttpAnswer
  /** The stream that a JSON answer amounts to. Throws where that cannot be known with certainty. */
  expand(answer: HttpAnswer): HttpAnswer
  /** Bytes that mean nothing and keep a connection alive. */
  readonly ping: string
  /** An error answer's body as the last event of a stream whose headers have gone out. */
  errorEvent(body: Uint8Array): string
}

/** Watches one stream go by; it never changes it. */
export interface StreamInspector {
  /** Never throws, whatever the bytes are. */
  push(bytes: Uint8Array): void
  /** The body ended without a fault of its connection. Optional: without it no stream is ever `finished`. */
  end?(): void
  /**
   * - `running`: the answer is not complete. A stream that ends so is an error for its callers.
   * - `whole`: the event that ends an answer has been seen. Nothing comes after it, and it may be stored.
   * - `finished`: the body ended without that event, but callers have all that the provider's SDK needs; or the stream is
   *   of a kind that is not known. Delivered as complete, and not stored.
   * - `failed`: it ended in an error of the provider. Nothing comes after it.
   */
  readonly state: 'running' | 'whole' | 'finished' | 'failed'
}

const METHODS = ['matches', 'identify', 'assess', 'errorBody'] as const
const STREAM_METHODS = ['inspect', 'fold', 'expand', 'errorEvent'] as const

/** @throws InvalidArgumentError unless `dialects` is a list of dialects */
export function assertDialects(dialects: unknown): asserts dialects is readonly Dialect[] {
  if (!Array.isArray(dialects)) {
    throw new InvalidArgumentError('dialects must be a list, e.g. openaiDialects or [messagesDialect].')
  }
  for (const [index, dialect] of dialects.entries()) {
    const name = `dialects[${index}]`
    if (Array.isArray(dialect)) {
      throw new InvalidArgumentError(
        `${name} is a list itself. Spread it: [...openaiDialects, messagesDialect].`,
      )
    }
    const it = Object(dialect) as Partial<Record<string, unknown>>
    const streams = it.streams === undefined ? undefined : Object(it.streams)
    const lacking = [
      ...(typeof it.door === 'string' && it.door !== '' && it.door !== 'run'
        ? []
        : ["door (not '', nor 'run')"]),
      ...METHODS.filter((method) => typeof it[method] !== 'function'),
      ...(isNames(it.credentialHeaders) ? [] : ['credentialHeaders (a list of names in lower case)']),
      ...(it.setHeaders === undefined || isNames(it.setHeaders)
        ? []
        : ['setHeaders (a list of names in lower case)']),
      ...(streams ? STREAM_METHODS.filter((method) => typeof streams[method] !== 'function') : []),
    ]
    if (lacking.length > 0)
      throw new InvalidArgumentError(`${name} is not a dialect: it lacks ${lacking.join(', ')}.`)
    assertSpecVersion(it.specVersion, DIALECT_SPEC_VERSION, name)
  }
}

function isNames(value: unknown): boolean {
  const isName = (one: unknown) => typeof one === 'string' && one !== '' && one === one.toLowerCase()
  return Array.isArray(value) && value.every(isName)
}
