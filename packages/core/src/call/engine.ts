import type { Codec } from '../answer/codec.js'
import type { LiveLog } from '../answer/live-log.js'
import type { Answer, AnswerHead } from '../answer/record.js'
import type { Events } from '../observe/events.js'
import type { GuardedStore } from '../store/guard.js'
import type { Probe } from '../store/probe.js'
import type { Background } from '../util/background.js'
import type { AbandonedCalls } from './abandoned-calls.js'
import type { Commits } from './commits.js'
import type { LocalCache } from './local-cache.js'

/** Everything the loop needs that is the same for every call of one idem. */
export interface Engine {
  /** The guarded store: every command has a time limit, and every failure is a StoreError. */
  readonly store: GuardedStore
  readonly leaseMs: number
  /** A waiter's first interval between two looks, ms; it doubles with each. */
  readonly pollMinMs: number
  /** The longest interval, ms. */
  readonly pollMaxMs: number
  readonly ifWaitTimesOut: 'execute' | 'reject'
  /** How long bytes of a running answer are collected before they go to the store, ms. */
  readonly liveBatchMs: number
  /** How many bytes of a running answer go to the store at once. */
  readonly liveBatchBytes: number
  /** How long a call that everybody left goes on before it is cancelled, ms. */
  readonly abandonGraceMs: number
  readonly abandoned: AbandonedCalls
  readonly background: Background
  /** Answers of this process that are not stored yet. */
  readonly commits: Commits
  readonly localCache: LocalCache | undefined
  readonly probe: Probe
  readonly events: Events
}

/** One request on its way through the loop. */
export interface Call<T> {
  /** The name of its key in the store. */
  readonly id: string
  /** The key whose record the answer replaces; `id` is then the refresh's own. */
  readonly replaces?: string
  readonly fingerprint: string
  /**
   * Whether the caller gave the key. If not, it is made of the request itself: then no other request can stand under
   * it, and another fingerprint there is a fault of the store's data.
   */
  readonly isKeyGiven: boolean
  readonly ttlMs: number
  readonly maxWaitMs: number
  readonly maxExecutionMs: number
  /** For a caller in haste: how long the store may take to say what stands before the call is made without it. */
  readonly maxStoreMs: number
  readonly ifStoreFails: 'execute' | 'reject'
  /** Whether the call is made again when it is not known how an execution before it ended. */
  readonly ifOwnerLost: 'execute' | 'reject'
  /**
   * Makes the call. `signal` is the flight's: no single caller aborts it. An answer that comes in pieces is begun with
   * `begin`, and its bytes appended to the log, for callers that read them as they come; the promise is for the whole.
   */
  work(signal: AbortSignal, begin: Begin): Promise<T>
  /** Whether the answer may come in pieces, so that a duplicate should look for a log of it. */
  readonly isLive?: boolean
  /** What happens to a call that everybody left on purpose. Absent: it goes on, and is not counted as abandoned. */
  readonly ifAbandoned?: 'cancel' | 'finish'
  readonly codec: Codec<T>
}

/** The name of its request in events and headers. */
export function keyOf({ id, replaces = id }: Pick<Call<unknown>, 'id' | 'replaces'>): string {
  return replaces
}

/** Reports the head of an answer when its bytes begin to come. */
export type Begin = (head: AnswerHead) => LiveLog

/** An answer that is still coming. */
export interface Live {
  /** `executed` in the process that makes the call, else `collapsed`. */
  readonly outcome: 'executed' | 'collapsed'
  readonly log: LiveLog
}

/** How one trip through the loop ended. */
export interface Settled<T> {
  readonly outcome: 'executed' | 'replayed' | 'collapsed'
  /** Not shareable: copy it for each further caller. */
  readonly value: T
  /** What copies are made of; absent if the value has no bytes. */
  readonly answer?: Answer
  /** Present if a record stands. */
  readonly record?: RecordFacts
  /** This caller's own call was made as well, and another one finished first. */
  readonly isPaid?: boolean
}

/** The outcome for one caller, as it is counted: a caller whose own call was paid for counts as executed. */
export function countedAs({ outcome, isPaid }: Settled<unknown>): Settled<unknown>['outcome'] {
  return isPaid ? 'executed' : outcome
}

/** How long the record is kept, and since when. */
export interface RecordFacts {
  /** By the store's clock, ms since the epoch; absent when it was stored just now. */
  readonly storedAtMs?: number
  readonly ttlMs: number
}
