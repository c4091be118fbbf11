import { valueCodec } from './answer/value-codec.js'
import { AbandonedCalls } from './call/abandoned-calls.js'
import { Commits } from './call/commits.js'
import { countedAs, type Engine, type Settled } from './call/engine.js'
import { refreshing } from './call/refresh.js'
import { ClosedError, InvalidArgumentError } from './errors/caller-errors.js'
import { orUnavailable } from './errors/store-errors.js'
import { Flights } from './flights.js'
import type { Exchange } from './http/door.js'
import { exchange } from './http/exchange.js'
import { type IdemRequestInit, idemFetch } from './http/fetch.js'
import { payloadDigest, storeKey } from './key/key.js'
import { clearMark } from './lock/begun-mark.js'
import { Events, type IdemEvents, tellNoHints, tellRefusal, warnable } from './observe/events.js'
import { FLEET_DAYS, Fleet, type FleetStats } from './observe/fleet.js'
import { logSavings } from './observe/log-savings.js'
import { type Stats, statsOf, Tally } from './observe/stats.js'
import { callOfRun } from './options/call-of-run.js'
import { assertRunOptions, type Outcome, type RunOptions, type WorkContext } from './options/run-options.js'
import { type IdemOptions, settingsOf } from './options/settings.js'
import { guarded } from './store/guard.js'
import { Probe } from './store/probe.js'
import * as check from './util/assert.js'
import { assertKey } from './util/assert.js'
import { Background } from './util/background.js'

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
   * IDEM_STORE_UNAVAILABLE (with `ifStoreFails: 'reject'` or `ifOwnerLost: 'reject'`), IDEM_UNCERTAIN (with the latter
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
  digest(payload: unknown): string
  /**
   * Removes what is stored under a key of `run`, or under a digest (the `key` of `Cache-Status`, the `digest` of events).
   * A call
   * that is running goes on and is not stored: those who wait for it in its own process get its answer, others make
   * their own. A refresh that is under way still stores its answer.
   * @returns whether there was anything
   * @throws IDEM_INVALID_ARGUMENT, IDEM_STORE_UNAVAILABLE, IDEM_CLOSED
   */
  forget(key: string | { readonly digest: string }, options?: { readonly scope?: string }): Promise<boolean>
  /**
   * A `fetch` for SDKs without middleware and for plain code. It takes what the platform's takes and rejects as that
   * does. A POST of one of the dialects is shared; where its body or its init cannot be compared, it is sent on as it
   * is, counted as bypassed and told of once. All others pass through. Per call: an `idem` member of init, and the
   * `Idempotency-Key` header. Errors of idem come as error responses of the provider.
   * @example await idem.fetch(url, { method: 'POST', headers, body, idem: { ttl: 'chat' } })
   */
  readonly fetch: (input: string | URL | Request, init?: IdemRequestInit | null) => Promise<Response>
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
   * for all idems of the process. What a listener throws is dropped.
   * @returns a function that ends it
   */
  on<Name extends keyof IdemEvents>(event: Name, listener: (event: IdemEvents[Name]) => unknown): () => void
  /**
   * Finds out at the start of a process whether the store can be used: whether it is reached, is new enough, and permits
   * each command. Every command of the protocol is sent once, on a key of its own that is removed again, and a hint is
   * waited for. The message of the error says what to change. Each command takes storeBudgetMs at most.
   *
   * @example
   * const idem = createIdem({ store: ioredisStore(client) })
   * await idem.ready()
   * @throws IDEM_STORE_UNAVAILABLE, IDEM_UNSUPPORTED_SERVER, IDEM_CLOSED
   */
  ready(): Promise<void>
  /**
   * Takes no new calls, waits for what is running, then lets go of the store. Safe to call twice. Called by work that
   * this idem runs it resolves at once, and goes on when that work has ended: it does not wait for itself.
   */
  close(): Promise<void>
}

/**
 * Makes an idem: one for each process is the usual number.
 * @throws IDEM_INVALID_ARGUMENT for an option that cannot be used
 */
export function createIdem(options: IdemOptions = {}): Idem {
  const settings = settingsOf(options)
  const events = new Events(settings.logger)
  const tally = new Tally()
  events.hear(tally.heard)
  logSavings(events)
  const background = new Background()
  const store = guarded(settings.store, {
    budgetMs: settings.storeBudgetMs,
    onRefused: (error) => tellRefusal(events, error),
    onNoHints: (error) => tellNoHints(events, error),
  })
  const stopNotices = store.onNotice?.((topic, message) => events.warn(topic, message))
  const commits = new Commits(store, background, events, settings.leaseMs)
  const probe = new Probe(store, settings.storeBudgetMs)
  const engine: Engine = {
    ...settings,
    store,
    background,
    commits,
    probe,
    abandoned: new AbandonedCalls(settings),
    events,
  }
  const fleet = new Fleet(events, engine.store, background)
  const flights = new Flights(engine)
  const codec = valueCodec(settings.maxRecordBytes, (topic, message) => events.warn(topic, message))
  let closing: Promise<void> | undefined

  /** What the flight of this request came to, for one caller. Counted when it is known. */
  async function shared<T>(
    key: string,
    work: (context: WorkContext) => Promise<T> | T,
    options: RunOptions = {},
  ): Promise<Settled<T>> {
    if (closing) throw new ClosedError()
    assertKey(key)
    if (typeof work !== 'function') throw new InvalidArgumentError('The work must be a function.')
    assertRunOptions(options)
    const call = callOfRun(key, work, options, { settings, codec })
    const settled = await flights.share(options.refresh ? refreshing(call) : call, options.signal)
    events.emit('call', { door: 'run', digest: call.id, outcome: countedAs(settled), isRetry: false })
    return settled as Settled<T>
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
    commits.forget(id)
    settings.localCache?.forget(id)
    return orUnavailable(async () => {
      await clearMark(engine, id)
      const stood = await engine.store.forget(id)
      // What was read meanwhile may be of before.
      settings.localCache?.forget(id)
      return stood
    })
  }

  async function fleetStats(options: { readonly days?: number } = {}): Promise<FleetStats> {
    check.assertKnown(options, ['days'], 'fleetStats')
    const { days = 1 } = options
    check.assertWhole(days, 'days')
    if (days > FLEET_DAYS)
      throw new InvalidArgumentError(`days must be at most ${FLEET_DAYS}: no more are kept.`)
    return orUnavailable(() => fleet.read(days))
  }

  const http = { flights, events, settings, isClosing: () => closing !== undefined }

  const idem: Idem = {
    run: (key, work, options) => shared(key, work, options).then(({ value }) => value),
    async runWithOutcome(key, work, options) {
      const { value, outcome } = await shared(key, work, options)
      return { value, outcome }
    },
    digest: payloadDigest,
    forget,
    fetch: idemFetch(http),
    exchange: (one) => exchange(http, one),
    stats: () => statsOf(tally.totals),
    fleetStats,
    on: (event, listener) => events.on(event, listener),
    async ready() {
      if (closing) throw new ClosedError()
      await probe.all()
    },
    async close() {
      closing ??= background
        .drain()
        .then(() => fleet.flush())
        .then(() => {
          store.stop()
          stopNotices?.()
          return settings.store.close()
        })
      if (!flights.areCalling) return closing
      // The work that calls `close()` is itself waited for: waiting here would wait for itself.
      closing.catch(() => {})
    },
  }
  return warnable(idem, events)
}
