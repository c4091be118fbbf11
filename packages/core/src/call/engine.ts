import type { Background } from './background.js'
import type { DetachedCalls } from './detached-calls.js'
import type { Events } from './events.js'
import type { GuardedStore } from './guard.js'
import type { LiveLog } from './live-log.js'
import type { Answer, AnswerHead, Ending } from './record.js'
import type { PollTimes } from './wait.js'

/** Everything the loop needs that is the same for every call of one idem. */
export interface Engine extends PollTimes {
  /** Guarded: every command bounded in time, every failure a StoreError. */
  readonly store: GuardedStore
  readonly leaseMs: number
  readonly onWaitTimeout: 'error' | 'execute'
  /** How long bytes of a running answer wait for company before they go to the store, ms. */
  readonly liveBatchMs: number
  /** How many bytes of a running answer go to the store without waiting. */
  readonly liveBatchBytes: number
  /** How long a call that everybody left goes on before it is cancelled, ms. */
  readonly abandonGraceMs: number
  readonly detached: DetachedCalls
  readonly background: Background
  readonly events: Events
}

/** One request on its way through the loop. */
export interface Call<T> {
  /** What the store knows it by. */
  readonly id: string
  /** The key whose record the answer replaces; `id` is then the refresh's own. */
  readonly replaces?: string
  readonly fingerprint: string
  readonly ttlMs: number
  readonly maxWaitMs: number
  readonly maxExecutionMs: number
  /** How long the store may take to say what stands before the call is made without it. */
  readonly storeBudgetMs: number
  readonly onStoreError: 'open' | 'closed'
  /** Whether the call is made again when it is not known how an execution before it ended. */
  readonly onLostOwner: 'execute' | 'error'
  /**
   * Makes the call. `signal` is the flight's: no single caller aborts it. An answer that comes in pieces is begun with
   * `begin`, and its bytes appended to the log, for those who want them as they come; the promise is for the whole.
   */
  work(signal: AbortSignal, begin: Begin): Promise<T>
  /** Whether the answer may come in pieces, so that a duplicate should look for what there is of it. */
  readonly isLive?: boolean
  /** What becomes of a call that everybody left on purpose. Absent: it goes on, and is not counted as detached. */
  readonly onAbandon?: 'cancel' | 'finish'
  readonly codec: Codec<T>
}

/** What the call is known by outside. */
export function keyOf({ id, replaces = id }: Pick<Call<unknown>, 'id' | 'replaces'>): string {
  return replaces
}

/** Gives out what is known of an answer whose bytes begin to come. */
export type Begin = (head: AnswerHead) => LiveLog

/** An answer on its way. */
export interface Live {
  /** `executed` in the process that makes the call, else `collapsed`. */
  readonly outcome: 'executed' | 'collapsed'
  readonly log: LiveLog
}

/** How a door turns results into bytes that others can have. */
export interface Codec<T> {
  encode(value: T): Encoded
  /** A copy of its own for each call. Throws for bytes that are not an answer of this door. */
  decode(answer: Answer): T
  /**
   * A copy for a caller in this process of a value that has no bytes; undefined if there is no faithful one. Absent
   * where callers are not given copies.
   */
  copy?(value: T): { readonly value: T } | undefined
  /** What waiters elsewhere are told of a rejection; undefined: nothing, they take over. */
  failure(error: unknown): Ending | undefined
}

export type Encoded =
  /** `store`: for everybody until the ttl. `share`: for those who wait now. `local`: for this process alone. */
  | { readonly keep: 'store' | 'share' | 'local'; readonly answer: Answer }
  /** There are no bytes that would bring the value back. */
  | { readonly keep: 'none' }

/** How one trip through the loop ended. */
export interface Settled<T> {
  readonly outcome: 'executed' | 'replayed' | 'collapsed'
  /** For one caller: the next one needs a copy. */
  readonly value: T
  /** What copies are made of; absent where the value has no bytes. */
  readonly answer?: Answer
  /** Present when a record stands. */
  readonly record?: RecordFacts
  /** A call was made for this caller all the same; it was overtaken. */
  readonly isPaid?: boolean
}

/** What happened to a caller, as it is counted: who paid a call has executed one. */
export function countedAs({ outcome, isPaid }: Settled<unknown>): Settled<unknown>['outcome'] {
  return isPaid ? 'executed' : outcome
}

/** What a record says about keeping it. */
export interface RecordFacts {
  /** By the store's clock, ms since the epoch; absent when it was stored just now. */
  readonly storedAtMs?: number
  readonly ttlMs: number
}
