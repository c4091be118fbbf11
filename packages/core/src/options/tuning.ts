import { InvalidArgumentError } from '../errors/caller-errors.js'
import * as check from '../util/assert.js'

/** Times and limits. The defaults are for production: change one when a measurement tells you to. */
export interface Tuning {
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
   * The longest interval between two looks while the owner is not heard, ms. While it is, looks are 2.5 s apart at most.
   * @default 500: what is lost with a connection of hints costs that much
   */
  readonly pollMaxMs?: number
  /**
   * How long one store command may take, ms, before the call goes on without the store. A connection that is lost is
   * waited for twice as long, since clients pause before they try again.
   * @default 1 000: far above any healthy answer, far below any AI call
   */
  readonly storeBudgetMs?: number
  /**
   * The largest answer that is stored, bytes.
   * @default 8 388 608 (8 MiB): larger than any text answer, small enough for Redis not to stall on it
   */
  readonly maxRecordBytes?: number
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
   * How long a call that everybody left goes on before it is cancelled, ms.
   * @default 10 000: longer than the pause an SDK makes before it retries
   */
  readonly abandonGraceMs?: number
  /**
   * How many of a provider's calls may go on at once with nobody waiting; one more is cancelled.
   * @default 100
   */
  readonly maxAbandonedCalls?: number
  /**
   * How many bytes those calls may hold together; one that goes over it is cancelled.
   * @default 67 108 864 (64 MiB)
   */
  readonly maxAbandonedBytes?: number
}

const DEFAULTS: Required<Tuning> = {
  leaseMs: 5_000,
  maxWaitMs: 605_000,
  maxExecutionMs: 600_000,
  pollMinMs: 50,
  pollMaxMs: 500,
  storeBudgetMs: 1_000,
  maxRecordBytes: 8 * 1024 * 1024,
  liveBatchMs: 20,
  liveBatchBytes: 16 * 1024,
  abandonGraceMs: 10_000,
  maxAbandonedCalls: 100,
  maxAbandonedBytes: 64 * 1024 * 1024,
}

/**
 * The times and limits with every default in place.
 * @throws InvalidArgumentError for one that cannot be used
 */
export function tuned(tuning: Tuning): Required<Tuning> {
  check.assertKnown(tuning, Object.keys(DEFAULTS), 'createIdem: tuning')
  const given = Object.entries(tuning).filter(([, value]) => value !== undefined)
  const all: Required<Tuning> = { ...DEFAULTS, ...Object.fromEntries(given) }
  for (const [name, value] of Object.entries(all)) {
    if (name.endsWith('Ms')) check.assertMs(value, `tuning.${name}`)
    else check.assertWhole(value, `tuning.${name}`)
  }
  if (all.pollMinMs > all.pollMaxMs) {
    throw new InvalidArgumentError('tuning.pollMinMs must not be greater than tuning.pollMaxMs.')
  }
  return all
}
