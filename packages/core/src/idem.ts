import { Background } from './background.js'
import { DetachedCalls } from './detached-calls.js'
import type { Engine } from './engine.js'
import { ClosedError } from './errors/closed-error.js'
import { InvalidArgumentError } from './errors/invalid-argument-error.js'
import type { StoreError } from './errors/store-error.js'
import { Flights } from './flight.js'
import { guarded } from './guard.js'
import type { Exchange } from './http/door.js'
import { exchange } from './http/exchange.js'
import { type IdemRequestInit, idemFetch } from './http/fetch.js'
import { assertKey, payloadDigest, storeKey } from './key.js'
import * as check from './options.js'
import { type IdemOptions, settingsOf } from './settings.js'
import { Counters, type Stats } from './stats.js'
import { valueCodec } from './value-codec.js'

export interface RunOptions {
  /** How long the result is replayed, ms. The first caller's counts. @default the ttl of createIdem */
  readonly ttl?: number
  /** Whose calls share: a tenant's id, say. @default the scope of createIdem */
  readonly scope?: string
  /** What the request is, any JSON: the same key with another fingerprint is refused with IDEM_KEY_REUSED. */
  readonly fingerprint?: unknown
  /** Ends this caller's wait, with the signal's reason. The work goes on for the others and for the record. */
  readonly signal?: AbortSignal
}

/** What work is told. */
export interface WorkContext {
  /** Aborted when the work runs over maxExecutionMs (IDEM_EXECUTION_TIMEOUT) or is overtaken (IDEM_SUPERSEDED). */
  readonly signal: AbortSignal
  /** The same for every execution of this request: pass it on as the idempotency key of what the work calls. */
  readonly key: string
}

/** What happened to one call. */
export type Outcome = 'executed' | 'replayed' | 'collapsed'

export interface Idem {
  /**
   * Runs `work` once for all who ask with this key, here and in every process that shares the store, and gives all of
   * them its result; later callers get the stored one until the ttl is over. Results are JSON or undefined; what JSON
   * cannot hold is returned but not stored. Everybody but the executing caller gets a copy of their own.
   *
   * A rejection is never stored: callers of this process get the error itself, those waiting elsewhere
   * IDEM_EXECUTION_FAILED.
   *
   * @param key 1 to 1024 bytes
   * @throws IDEM_INVALID_ARGUMENT, IDEM_KEY_REUSED, IDEM_WAIT_TIMEOUT, IDEM_EXECUTION_TIMEOUT, IDEM_EXECUTION_FAILED,
   * IDEM_STORE_UNAVAILABLE (only with `onStoreError: 'closed'`), IDEM_UNSUPPORTED_SERVER, IDEM_CLOSED
   */
  run<T>(key: string, work: (context: WorkContext) => Promise<T> | T, options?: RunOptions): Promise<T>
  /** As `run`, and tells what happened. */
  runWithOutcome<T>(
    key: string,
    work: (context: WorkContext) => Promise<T> | T,
    options?: RunOptions,
  ): Promise<{ value: T; outcome: Outcome }>
  /**
   * The digest of any JSON payload, whatever the order of its members: 43 characters of base64url.
   * @throws IDEM_INVALID_ARGUMENT for what JSON cannot hold
   */
  key(payload: unknown): string
  /**
   * A `fetch` for SDKs without middleware and for plain code: requests of the given dialects are shared, all others
   * pass through. Per call: an `idem` member of init, and the `Idempotency-Key` header.
   */
  readonly fetch: (input: string | URL | Request, init?: IdemRequestInit) => Promise<Response>
  /** For packages that put idem below an SDK: one HTTP request on its way to `send`. */
  exchange(exchange: Exchange): Promise<Response>
  /** What this idem did so far, in this process. */
  stats(): Stats
  /** Takes no new calls, waits for what is running, then lets go of the store. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Makes an idem: one for each process is the usual number.
 * @throws IDEM_INVALID_ARGUMENT for an option that cannot be used
 */
export function createIdem(options: IdemOptions = {}): Idem {
  const settings = settingsOf(options)
  const counters = new Counters()
  const background = new Background()
  const warned = new Set<string>()
  const warn = (topic: string, message: string) => {
    if (warned.has(topic)) return
    warned.add(topic)
    try {
      settings.logger.warn(`idem: ${message}`)
    } catch {
      // A logger that fails must not fail a call.
    }
  }
  function failedOpen(error: StoreError): void {
    counters.failedOpen()
    const reason = error.cause instanceof Error ? error.cause.message : error.message
    warn('failed-open', `The store cannot be reached (${reason}). Calls go on, shared in this process only.`)
  }
  const engine: Engine = {
    ...settings,
    store: guarded(settings.store, settings.storeBudgetMs),
    background,
    detached: new DetachedCalls(settings),
    events: {
      failedOpen,
      superseded: () => counters.superseded(),
      diverged: () => counters.diverged(),
      cancelled: () => counters.cancelled(),
      warn,
    },
  }
  const flights = new Flights(engine)
  const codec = valueCodec(settings.recordLimitBytes, warn)
  let closing: Promise<void> | undefined

  async function runWithOutcome<T>(
    key: string,
    work: (context: WorkContext) => Promise<T> | T,
    options: RunOptions = {},
  ): Promise<{ value: T; outcome: Outcome }> {
    if (closing) throw new ClosedError()
    assertKey(key)
    if (typeof work !== 'function') throw new InvalidArgumentError('The work must be a function.')
    assertRunOptions(options)
    const { ttl = settings.ttl, scope = settings.scope, signal } = options
    const id = storeKey('run', scope, key)
    // Key and fingerprint are fixed here, before any code of the user runs and could change what they are made of.
    const fingerprint = payloadDigest(options.fingerprint ?? null)
    const settled = await flights.share(
      {
        id,
        fingerprint,
        ttlMs: ttl,
        maxWaitMs: settings.maxWaitMs,
        maxExecutionMs: settings.maxExecutionMs,
        storeBudgetMs: settings.storeBudgetMs,
        work: async (signal) => work({ signal, key: id }),
        codec,
      },
      signal,
    )
    counters.settled(settled)
    return { value: settled.value as T, outcome: settled.outcome }
  }

  const http = { flights, counters, warn, settings, isClosing: () => closing !== undefined }

  return {
    runWithOutcome,
    run: async (key, work, options) => (await runWithOutcome(key, work, options)).value,
    key: payloadDigest,
    fetch: idemFetch(http),
    exchange: (one) => exchange(http, one),
    stats: () => counters.read(),
    close() {
      closing ??= background.drain().then(() => settings.store.close())
      return closing
    },
  }
}

function assertRunOptions(options: RunOptions): void {
  check.assertKnown(options, ['ttl', 'scope', 'fingerprint', 'signal'], 'run')
  if (options.ttl !== undefined) check.assertMs(options.ttl, 'ttl')
  if (options.scope !== undefined) check.assertScope(options.scope)
  if (options.signal !== undefined) check.assertSignal(options.signal)
}
