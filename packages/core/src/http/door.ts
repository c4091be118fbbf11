import { assertDialects, type Dialect, type HttpRequest } from '../dialect/dialect.js'
import { InvalidArgumentError } from '../errors/caller-errors.js'
import type { Flights } from '../flights.js'
import type { Events } from '../observe/events.js'
import type { CallOptions, ClientOptions } from '../options/call-options.js'
import type { Settings } from '../options/settings.js'
import * as check from '../util/assert.js'
import { isObject, unfitForJson } from '../util/json.js'

/** Why a request cannot be compared with others, and what to do about it. Each topic is told once. */
export interface Reason {
  readonly topic: string
  readonly warning: string
}

/** One request on its way through idem to the provider. */
export interface Exchange {
  readonly dialect: Dialect
  readonly request: HttpRequest
  /** The real call. Its signal is the execution's, never one caller's. */
  send(request: HttpRequest): Promise<Response>
  /**
   * Why the request cannot be compared with others: it is then not shared, and this is told once. Where that is its body,
   * which could not be read, the request is given an empty one. @default none
   */
  readonly opaque?: Reason
  readonly options?: CallOptions
  /** Options of the client, used where those of the call say nothing. */
  readonly client?: ClientOptions
  /** How long this caller waits, ms; then it gets a DOMException named AbortError, which SDKs take for a timeout. */
  readonly timeoutMs?: number
  /**
   * Whether the request's signal, which has just been aborted before the answer began, ended for a timeout. For SDKs
   * that abort with one reason whatever the cause. After a timeout the call goes on, since a retry will ask for it.
   * @default told by the signal's reason, and by the timeout that the SDK's headers name
   */
  readonly isTimeout?: () => boolean
}

/** What an exchange needs of its idem. */
export interface HttpDoor {
  readonly flights: Flights
  readonly events: Events
  readonly settings: Settings
  isClosing(): boolean
}

const MEMBERS = ['dialect', 'request', 'send', 'opaque', 'options', 'client', 'timeoutMs', 'isTimeout']
/** Dialects that were checked already. */
const usable = new WeakSet<object>()

/** @throws InvalidArgumentError for what cannot be an exchange, before anything is sent */
export function assertExchange(one: unknown): asserts one is Exchange {
  check.assertKnown(one, MEMBERS, 'exchange')
  const { dialect, request, send, opaque, timeoutMs, isTimeout } = one as Partial<Exchange>
  if (!usable.has(Object(dialect))) {
    assertDialects([dialect])
    usable.add(dialect as Dialect)
  }
  const { url, method, headers, body, signal, init = {} } = Object(request) as Partial<HttpRequest>
  const isRequest =
    [url, method, body].every((text) => typeof text === 'string') && headers instanceof Headers
  if (!isRequest || !URL.canParse(url!)) {
    throw new InvalidArgumentError(
      'exchange: request must have a whole url, a method and a body as strings, and headers as Headers.',
    )
  }
  if (typeof send !== 'function') throw new InvalidArgumentError('exchange: send must be a function.')
  if (signal !== undefined && signal !== null) check.assertSignal(signal)
  if (!isObject(init) || unfitForJson(init, { exact: true })) {
    throw new InvalidArgumentError('exchange: request.init must be an object of JSON. tellingOf() makes one.')
  }
  if (opaque !== undefined && !(typeof opaque?.topic === 'string' && typeof opaque.warning === 'string')) {
    throw new InvalidArgumentError('exchange: opaque must have a topic and a warning.')
  }
  if (isTimeout !== undefined && typeof isTimeout !== 'function') {
    throw new InvalidArgumentError('exchange: isTimeout must be a function.')
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw new InvalidArgumentError('exchange: timeoutMs must be a number of ms, 0 or more.')
  }
}
