import type { Flights } from '../flight.js'
import type { Settings } from '../settings.js'
import type { Counters } from '../stats.js'
import type { Dialect, HttpRequest } from './dialect.js'

/** What one HTTP call may ask for. */
export interface CallOptions {
  /** How long the answer is replayed, ms. The first caller's counts. @default the ttl of createIdem */
  readonly ttl?: number
  /** Make a call of its own: neither answered from a record nor shared with anybody, nor stored. @default false */
  readonly bypass?: boolean
  /** Whose calls share. @default a digest of the credential and the origin of the request */
  readonly scope?: string
  /** What makes calls the same, instead of the request itself; the same key with another request is refused. */
  readonly key?: string
}

/** One request on its way through idem to the provider. */
export interface Exchange {
  readonly dialect: Dialect
  readonly request: HttpRequest
  /** The real call. Its signal is the execution's, never one caller's. */
  send(request: HttpRequest): Promise<Response>
  readonly options?: CallOptions
  /** The scope where the options name none and before the credential is asked. */
  readonly scope?: string
  /** How long this caller waits, ms; then it gets a DOMException named AbortError, which SDKs take for a timeout. */
  readonly timeoutMs?: number
}

/** What an exchange needs of its idem. */
export interface HttpDoor {
  readonly flights: Flights
  readonly counters: Counters
  readonly settings: Settings
  warn(topic: string, message: string): void
  isClosing(): boolean
}
