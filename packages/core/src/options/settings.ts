import { InvalidArgumentError } from './errors/invalid-argument-error.js'
import type { Logger } from './events.js'
import { assertPolicy, type CallOptions, type Policy, type PolicyRequest } from './http/call-options.js'
import type { Dialect } from './http/dialect.js'
import { memoryStore } from './memory-store.js'
import * as check from './options.js'
import { missingStoreMethods, type Store } from './store.js'
import { type Ttl, ttlMs } from './ttl.js'
import { assertPrices, type Prices } from './usage/prices.js'

/** What `createIdem` takes; each default has its reason. */
export interface IdemOptions extends Policy {
  /**
   * Where locks and records live.
   * @default memoryStore(), which collapses inside this process and shares with no other
   */
  readonly store?: Store
  /**
   * How long an answer is replayed: a name (`retry` 60 s, `chat` 5 min, `analysis` 1 h, `batch` 24 h), ms, or a
   * duration such as `'90s'`.
   * @default 'analysis' (1 h): most duplicates come within seconds, re-asked analyses within the hour
   */
  readonly ttl?: Ttl
  /**
   * What holds for a request, by what it is. The options of a client and of a call win over it, and it over those
   * here. A ttl it gives counts as explicit.
   * @default none
   */
  readonly policy?: (request: PolicyRequest) => CallOptions | undefined
  /**
   * Whose `run` calls share, where a call names no scope. HTTP calls are scoped by their credential.
   * @default 'default'
   */
  readonly scope?: string
  /**
   * How long a lock outlives its last renewal, ms; it is renewed every third of it.
   * @default 5 000: what a crash costs its waiters, while a stall of the event loop that long is rare
   */
  readonly leaseMs?: number
  /**
   * How long a duplicate waits for an execution elsewhere, ms.
   * @default 605 000: maxExecutionMs and a lease, so that waiters outlast the longest execution
   */
  readonly maxWaitMs?: number
  /**
   * How long one execution may take, ms; then its signal is aborted and its lock given up.
   * @default 600 000, the timeout of the SDKs
   */
  readonly maxExecutionMs?: number
  /**
   * The first interval between two looks of a waiter, ms; it doubles with each.
   * @default 50
   */
  readonly pollMinMs?: number
  /**
   * The longest interval between two looks, ms.
   * @default 500: what a lost hint costs
   */
  readonly pollMaxMs?: number
  /**
   * How long one store command may take, ms, before the call goes on without the store.
   * @default 1 000: far above any healthy answer, far below any AI call
   */
  readonly storeBudgetMs?: number
  /**
   * The largest answer that is stored, bytes.
   * @default 8 388 608 (8 MiB): larger than any text answer, small enough for Redis not to stall on it
   */
  readonly recordLimitBytes?: number
  /**
   * How long the bytes of a running stream wait for more before they are sent to the store, ms; the first after a
   * pause never wait.
   * @default 20: what a duplicate in another process lags behind, for at most 50 commands a second
   */
  readonly liveBatchMs?: number
  /**
   * How many bytes of a running stream are sent to the store without waiting.
   * @default 16 384 (16 KiB)
   */
  readonly liveBatchBytes?: number
  /**
   * What becomes of a provider's call when everybody who waited for it has aborted, or stopped reading, in every
   * process: it is cancelled after abandonGraceMs, or finished and stored. After a timeout it always goes on, since
   * the retry finds its answer; so does the work of `run`.
   * @default 'cancel': finishing is billed
   */
  readonly onAbandon?: 'cancel' | 'finish'
  /**
   * How long a call that everybody left goes on before it is cancelled, ms.
   * @default 10 000: longer than the pause an SDK makes before it retries
   */
  readonly abandonGraceMs?: number
  /**
   * How many of a provider's calls may go on at once with nobody waiting; one more is cancelled.
   * @default 100
   */
  readonly maxDetachedCalls?: number
  /**
   * How many bytes those calls may hold together; one that goes over it is cancelled.
   * @default 67 108 864 (64 MiB)
   */
  readonly maxDetachedBytes?: number
  /**
   * What to do when the store cannot be reached: make the call all the same, or fail with IDEM_STORE_UNAVAILABLE.
   * @default 'open': a duplicate costs money, a refused call costs a user
   */
  readonly onStoreError?: 'open' | 'closed'
  /**
   * What to do when maxWaitMs is over: fail with IDEM_WAIT_TIMEOUT, or make the call too.
   * @default 'error': the execution may still be running, and paid for
   */
  readonly onWaitTimeout?: 'error' | 'execute'
  /** The providers whose requests `idem.fetch` recognises; others pass through it untouched. @default none */
  readonly dialects?: readonly Dialect[]
  /** Prices by model, in dollars; they win over the dialects' own lists. @default none */
  readonly prices?: Prices
  /**
   * Where warnings go, each kind once; and, if it has `info`, a line for each call that was not paid for. Never a
   * prompt, an answer or a credential.
   * @default the console, for warnings alone
   */
  readonly logger?: Logger
}

const DEFAULTS = {
  ttl: 'analysis',
  policy: undefined,
  sampling: 'window',
  toolCalls: 'share',
  ignore: [],
  prices: {},
  scope: 'default',
  leaseMs: 5_000,
  maxWaitMs: 605_000,
  maxExecutionMs: 600_000,
  pollMinMs: 50,
  pollMaxMs: 500,
  storeBudgetMs: 1_000,
  recordLimitBytes: 8 * 1024 * 1024,
  liveBatchMs: 20,
  liveBatchBytes: 16 * 1024,
  onAbandon: 'cancel',
  abandonGraceMs: 10_000,
  maxDetachedCalls: 100,
  maxDetachedBytes: 64 * 1024 * 1024,
  onStoreError: 'open',
  onWaitTimeout: 'error',
  dialects: [],
  // biome-ignore lint/suspicious/noConsole: where warnings go that nobody gave another place
  logger: { warn: (message: string) => console.warn(message) },
} as const

/** The options with every default in place. */
export interface Settings extends Required<Omit<IdemOptions, 'ttl' | 'policy'>>, Pick<IdemOptions, 'policy'> {
  /** ms */
  readonly ttl: number
}

/** @throws InvalidArgumentError for an option that cannot be used */
export function settingsOf(options: IdemOptions): Settings {
  check.assertKnown(options, [...Object.keys(DEFAULTS), 'store'], 'createIdem')
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const { ttl, ...chosen } = { ...DEFAULTS, store: options.store ?? memoryStore(), ...given }
  const settings: Settings = { ...chosen, ttl: ttlMs(ttl) }
  const { store } = settings
  const missing = missingStoreMethods(store)
  if (missing.length > 0) {
    throw new InvalidArgumentError(
      `createIdem: the store lacks ${missing.join(', ')}. Pass what an adapter returns, e.g. ioredisStore(client).`,
    )
  }
  for (const name of [
    'leaseMs',
    'maxWaitMs',
    'maxExecutionMs',
    'pollMinMs',
    'pollMaxMs',
    'storeBudgetMs',
    'liveBatchMs',
    'abandonGraceMs',
  ] as const) {
    check.assertMs(settings[name], name)
  }
  if (settings.pollMinMs > settings.pollMaxMs) {
    throw new InvalidArgumentError('pollMinMs must not be greater than pollMaxMs.')
  }
  check.assertWhole(settings.recordLimitBytes, 'recordLimitBytes')
  check.assertWhole(settings.liveBatchBytes, 'liveBatchBytes')
  check.assertWhole(settings.maxDetachedCalls, 'maxDetachedCalls')
  check.assertWhole(settings.maxDetachedBytes, 'maxDetachedBytes')
  check.assertOneOf(settings.onAbandon, ['cancel', 'finish'], 'onAbandon')
  check.assertScope(settings.scope)
  assertPolicy(settings)
  assertPrices(settings.prices)
  if (settings.policy !== undefined && typeof settings.policy !== 'function') {
    throw new InvalidArgumentError('policy must be a function of the request.')
  }
  check.assertOneOf(settings.onStoreError, ['open', 'closed'], 'onStoreError')
  check.assertOneOf(settings.onWaitTimeout, ['error', 'execute'], 'onWaitTimeout')
  return settings
}
