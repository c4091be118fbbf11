import { InvalidArgumentError } from './errors/invalid-argument-error.js'
import type { Dialect } from './http/dialect.js'
import { memoryStore } from './memory-store.js'
import * as check from './options.js'
import { missingStoreMethods, type Store } from './store.js'

export interface IdemOptions {
  /**
   * Where locks and records live.
   * @default memoryStore(), which collapses inside this process and shares with no other
   */
  readonly store?: Store
  /**
   * How long an answer is replayed, ms.
   * @default 3 600 000 (1 h): most duplicates come within seconds, re-asked analyses within the hour
   */
  readonly ttl?: number
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
  /**
   * Where warnings go, each kind once. Never a prompt, an answer or a credential.
   * @default console
   */
  readonly logger?: { warn(message: string): void }
}

const DEFAULTS = {
  ttl: 3_600_000,
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
  logger: console,
} as const

/** The options with every default in place. */
export type Settings = Required<IdemOptions>

/** @throws InvalidArgumentError for an option that cannot be used */
export function settingsOf(options: IdemOptions): Settings {
  check.assertKnown(options, [...Object.keys(DEFAULTS), 'store'], 'createIdem')
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const settings: Settings = { ...DEFAULTS, store: options.store ?? memoryStore(), ...given }
  const { store } = settings
  const missing = missingStoreMethods(store)
  if (missing.length > 0) {
    throw new InvalidArgumentError(
      `createIdem: the store lacks ${missing.join(', ')}. Pass what an adapter returns, e.g. ioredisStore(client).`,
    )
  }
  for (const name of [
    'ttl',
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
  check.assertOneOf(settings.onStoreError, ['open', 'closed'], 'onStoreError')
  check.assertOneOf(settings.onWaitTimeout, ['error', 'execute'], 'onWaitTimeout')
  return settings
}
