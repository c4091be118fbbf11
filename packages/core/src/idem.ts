import { Background } from './background.js'
import { DetachedCalls } from './detached-calls.js'
import { type Call, countedAs, type Engine } from './engine.js'
import { ClosedError } from './errors/closed-error.js'
import { InvalidArgumentError } from './errors/invalid-argument-error.js'
import { StoreUnavailableError } from './errors/store-unavailable-error.js'
import { Events, type IdemEvents } from './events.js'
import { Flights } from './flight.js'
import { guarded, isStoreError } from './guard.js'
import type { Exchange } from './http/door.js'
import { exchange } from './http/exchange.js'
import { type IdemRequestInit, idemFetch } from './http/fetch.js'
import { assertKey, payloadDigest, storeKey } from './key.js'
import * as check from './options.js'
import { refreshing } from './refresh.js'
import { type IdemOptions, settingsOf } from './settings.js'
import { clearTrace } from './trace.js'
import { type Ttl, ttlMs } from './ttl.js'
import { FLEET_DAYS, Fleet, type FleetStats } from './usage/fleet.js'
import { logSavings } from './usage/log-savings.js'
import { NO_TOTALS, onTotals, plus, type Stats, statsOf } from './usage/stats.js'
import { valueCodec } from './value-codec.js'

/** What one `run` may ask for. */
export interface RunOptions {
  /**
   * How long the result is replayed: a name, ms or a duration. The first caller's counts.
   * @default the ttl of createIdem
   */
  readonly ttl?: Ttl
  /** Whose calls share: a tenant's id, say. @default the scope of createIdem */
  readonly scope?: string
  /** What the request is, any JSON: the same key with another fingerprint is refused with IDEM_KEY_REUSED. */
  readonly fingerprint?: unknown
  /** Ends this caller's wait, with the signal's reason. The work goes on for the others and for the record. */
  readonly signal?: AbortSignal
  /** Run the work again and replace the result; others are given the old one meanwhile. @default false */
  readonly refresh?: boolean
  /** Whether the work is run where the store cannot be reached. @default onStoreError of createIdem */
  readonly onStoreError?: 'open' | 'closed'
  /**
   * What to do where an execution began and its process was lost, so that nobody knows how it ended: `execute` it
   * again, or reject with IDEM_UNCERTAIN until the ttl is over or the key is forgotten. For effects that are worse
   * done twice than not at all; their results must be JSON, and under recordLimitBytes, or nobody else can be told. It
   * costs four commands more, and means `onStoreError: 'closed'`.
   * @default 'execute'
   */
  readonly onLostOwner?: 'execute' | 'error'
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

/** Duplicate calls cost one call. Safe to share by everything in a process. */
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
   * IDEM_STORE_UNAVAILABLE (with `onStoreError: 'closed'` or `onLostOwner: 'error'`), IDEM_UNCERTAIN (with the latter
   * alone), IDEM_UNSUPPORTED_SERVER, IDEM_CLOSED
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
   * Removes what is stored under a key of `run`, or under a digest: the `key` of `Cache-Status` and of events. A call
   * that is running goes on and is not stored: those who wait for it in its own process get its answer, others make
   * their own. A refresh that is under way stores its answer all the same.
   * @returns whether there was anything
   * @throws IDEM_INVALID_ARGUMENT, IDEM_STORE_UNAVAILABLE, IDEM_CLOSED
   */
  forget(key: string | { readonly digest: string }, options?: { readonly scope?: string }): Promise<boolean>
  /**
   * A `fetch` for SDKs without middleware and for plain code: requests of the given dialects are shared, all others
   * pass through. Per call: an `idem` member of init, and the `Idempotency-Key` header.
   */
  readonly fetch: (input: string | URL | Request, init?: IdemRequestInit) => Promise<Response>
  /** For packages that put idem below an SDK: one HTTP request on its way to `send`. */
  exchange(exchange: Exchange): Promise<Response>
  /** What this idem did so far, in this process. */
  stats(): Stats
  /**
   * What all idems that share the store did, today and on the days before (UTC); at most a second old. With a store
   * that keeps no reports, what this one did today.
   * @throws IDEM_INVALID_ARGUMENT, IDEM_STORE_UNAVAILABLE
   */
  fleetStats(options?: { readonly days?: number }): Promise<FleetStats>
  /**
   * Hears what happens in this idem, as it happens; the same goes to `node:diagnostics_channel`, as `idem:<event>`,
   * for all idems of the process. What a listener throws reaches nobody.
   * @returns a function that ends it
   */
  on<Name extends keyof IdemEvents>(event: Name, listener: (event: IdemEvents[Name]) => unknown): () => void
  /** Takes no new calls, waits for what is running, then lets go of the store. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Makes an idem: one for each process is the usual number.
 * @throws IDEM_INVALID_ARGUMENT for an option that cannot be used
 */
export function createIdem(options: IdemOptions = {}): Idem {
  const settings = settingsOf(options)
  const events = new Events(settings.logger)
  let totals = NO_TOTALS
  onTotals(events, (some) => {
    totals = plus(totals, some)
  })
  logSavings(events)
  const background = new Background()
  const engine: Engine = {
    ...settings,
    store: guarded(settings.store, settings.storeBudgetMs),
    background,
    detached: new DetachedCalls(settings),
    events,
  }
  const fleet = new Fleet(events, engine.store, background)
  const flights = new Flights(engine)
  const codec = valueCodec(settings.recordLimitBytes, (topic, message) => events.warn(topic, message))
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
    const { ttl = settings.ttl, scope = settings.scope, signal, onLostOwner = 'execute' } = options
    const id = storeKey('run', scope, key)
    const call: Call<unknown> = {
      id,
      // Key and fingerprint are fixed here, before any code of the user runs and could change what they are made of.
      fingerprint: payloadDigest(options.fingerprint ?? null),
      ttlMs: ttlMs(ttl),
      maxWaitMs: settings.maxWaitMs,
      maxExecutionMs: settings.maxExecutionMs,
      storeBudgetMs: settings.storeBudgetMs,
      onStoreError: onLostOwner === 'error' ? 'closed' : (options.onStoreError ?? settings.onStoreError),
      onLostOwner,
      work: async (signal) => work({ signal, key: id }),
      codec,
    }
    const settled = await flights.share(options.refresh ? refreshing(call) : call, signal)
    events.emit('call', { door: 'run', key: id, outcome: countedAs(settled), isRetry: false })
    return { value: settled.value as T, outcome: settled.outcome }
  }

  async function forget(
    key: string | { readonly digest: string },
    options: { readonly scope?: string } = {},
  ) {
    if (closing) throw new ClosedError()
    check.assertKnown(options, ['scope'], 'forget')
    const { scope = settings.scope } = options
    check.assertScope(scope)
    if (typeof key === 'string') assertKey(key)
    else check.assertDigest(key?.digest)
    const id = typeof key === 'string' ? storeKey('run', scope, key) : key.digest
    flights.forget(id)
    return answered(async () => {
      await clearTrace(engine, id)
      return engine.store.forget(id)
    })
  }

  async function fleetStats(options: { readonly days?: number } = {}): Promise<FleetStats> {
    check.assertKnown(options, ['days'], 'fleetStats')
    const { days = 1 } = options
    check.assertWhole(days, 'days')
    if (days > FLEET_DAYS)
      throw new InvalidArgumentError(`days must be at most ${FLEET_DAYS}: no more are kept.`)
    return answered(() => fleet.read(days))
  }

  const http = { flights, events, settings, isClosing: () => closing !== undefined }

  return {
    runWithOutcome,
    run: async (key, work, options) => (await runWithOutcome(key, work, options)).value,
    key: payloadDigest,
    forget,
    fetch: idemFetch(http),
    exchange: (one) => exchange(http, one),
    stats: () => statsOf(totals),
    fleetStats,
    on: (event, listener) => events.on(event, listener),
    close() {
      closing ??= background
        .drain()
        .then(() => fleet.flush())
        .then(() => settings.store.close())
      return closing
    },
  }
}

/** What the store says, or that it cannot be reached: nothing can be made up for it. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw isStoreError(error) ? new StoreUnavailableError(error) : error
  }
}

function assertRunOptions(options: RunOptions): void {
  const known = ['ttl', 'scope', 'fingerprint', 'signal', 'refresh', 'onStoreError', 'onLostOwner']
  check.assertKnown(options, known, 'run')
  const { ttl, scope, signal, refresh, onStoreError, onLostOwner } = options
  if (ttl !== undefined) ttlMs(ttl)
  if (scope !== undefined) check.assertScope(scope)
  if (signal !== undefined) check.assertSignal(signal)
  if (refresh !== undefined) check.assertBoolean(refresh, 'refresh')
  if (onStoreError !== undefined) check.assertOneOf(onStoreError, ['open', 'closed'], 'onStoreError')
  if (onLostOwner !== undefined) check.assertOneOf(onLostOwner, ['execute', 'error'], 'onLostOwner')
  if (onLostOwner === 'error' && onStoreError === 'open') {
    throw new InvalidArgumentError("onLostOwner: 'error' needs a store: it goes with onStoreError: 'closed'.")
  }
}
