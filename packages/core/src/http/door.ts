import type { Events } from '../events.js'
import type { Flights } from '../flight.js'
import type { Settings } from '../settings.js'
import type { CallOptions, ClientOptions } from './call-options.js'
import type { Dialect, HttpRequest } from './dialect.js'

/** One request on its way through idem to the provider. */
export interface Exchange {
  readonly dialect: Dialect
  readonly request: HttpRequest
  /** The real call. Its signal is the execution's, never one caller's. */
  send(request: HttpRequest): Promise<Response>
  readonly options?: CallOptions
  /** For what the options of the call leave open. */
  readonly client?: ClientOptions
  /** How long this caller waits, ms; then it gets a DOMException named AbortError, which SDKs take for a timeout. */
  readonly timeoutMs?: number
}

/** What an exchange needs of its idem. */
export interface HttpDoor {
  readonly flights: Flights
  readonly events: Events
  readonly settings: Settings
  isClosing(): boolean
}
