/** The version of this contract. A store says which one it keeps; core refuses another. */
export const STORE_SPEC_VERSION = 1

/**
 * The one interface between idem and whatever keeps its locks and records. Core calls it; adapters implement it;
 * nobody else needs it. A key moves `absent -> locked -> completed -> absent`, and each method below is one atomic
 * step of that. `docs/protocol.md` tells the whole protocol, `@idem/conformance` tests it.
 *
 * Keys, owners and fingerprints are made by core and are safe in any store: 1 to 64 characters of base64url. Times
 * are durations in ms, counted by the store's own clock: clocks of two machines are never compared.
 *
 * What a store need not be able to do is in interfaces of its own. A class says which it keeps:
 * `implements Store, LiveStore, WatchableStore`. Each is kept whole or not at all.
 */
export interface Store
  extends Partial<LiveStore>,
    Partial<ReportStore>,
    Partial<WatchableStore>,
    Partial<PartitionedStore>,
    Partial<NoticingStore> {
  /** 1. A store that an adapter of another version made is refused, with what to update. */
  readonly specVersion: typeof STORE_SPEC_VERSION

  /**
   * Takes the lock if the key is absent, else says what stands. With `replacing`, a standing record whose bytes are
   * exactly those is replaced by the lock: the way out of a record nobody can decode.
   *
   * A contended acquire is an answer, never an exception. A caller that finds its own lock (it asked twice because
   * the first reply was lost) is told `locked` with its own owner.
   */
  acquire(key: string, claim: Claim, leaseMs: number, options?: AcquireOptions): Promise<Found>

  /** Extends the lease of this owner, or takes the lock back for it when the key is absent. */
  renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed>

  /**
   * Writes the record once: the first completion of a fingerprint wins, also when the lock has lapsed or a successor
   * of the same fingerprint holds it. With `over` a standing record of the fingerprint is written over, for a refresh.
   * A void lock, and anything of another fingerprint, is never overwritten. Wakes watchers.
   */
  complete(
    key: string,
    claim: Claim,
    bytes: Uint8Array,
    ttlMs: number,
    options?: CompleteOptions,
  ): Promise<Completed>

  /** Gives the lock up if this owner holds it, and wakes watchers. Never touches a record. @returns whether it did. */
  release(key: string, owner: string): Promise<boolean>

  /**
   * Leaves a note beside the key, under a name, for `ms`; one of that name is written over. Core leaves three kinds:
   * how an execution ended that left no record (its name is the owner's, and it is written before the lock is released,
   * so that a waiter which sees the lock gone finds it), that a waiter is there, and that an effect has begun.
   */
  leaveNote(key: string, name: string, bytes: Uint8Array, ms: number): Promise<void>

  /** The note of this name, if it is still there. */
  readNote(key: string, name: string): Promise<Uint8Array | undefined>

  /** What stands, without taking the lock. */
  read(key: string): Promise<Read>

  /**
   * Removes a record, or makes a lock void: its owner keeps it, renews it and releases it, but no completion is stored
   * while it stands. @returns whether there was anything to forget.
   */
  forget(key: string): Promise<boolean>

  /**
   * Resolves once a command for this key can be answered; without a key, one for any. Rejects with a StoreError while
   * it cannot. Core waits for it, for a limited time, before every command, so that nothing is queued in a client that
   * is not connected and runs long after its caller gave up. Where a command can be answered now, undefined in place of
   * a promise says the same and costs no turn.
   */
  ready(key?: string): Promise<void> | undefined

  /** Lets go of what the store opened itself; never closes a client it was given. */
  close(): Promise<void>
}

/** Keeps the live logs of running streams. Without it a duplicate of a running stream waits for its record. */
export interface LiveStore {
  /**
   * Adds bytes to the live log of one execution if it is `offset` long, and gives it another `ms` to live. Where the
   * log has exactly these bytes at `offset` already (the reply to the first try was lost), it is left as it is.
   * Otherwise nothing is written. Wakes watchers with the bytes, if they are few.
   * @returns how long the log is now: `offset` plus these bytes when they are in it
   */
  append(key: string, owner: string, offset: number, bytes: Uint8Array, ms: number): Promise<number>

  /** The live log of one execution from this offset on, empty at its end; undefined when there is no such log. */
  tail(key: string, owner: string, from: number): Promise<Uint8Array | undefined>
}

/** Keeps boards of reports. Without it nobody can say what a fleet of processes did. */
export interface ReportStore {
  /**
   * Writes one report on a board, over what stood under this name, and gives the board another `ms` to live. Boards
   * are apart from keys, and named as keys are.
   */
  report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void>

  /** All reports on a board, in any order; none where there is no such board. */
  reports(board: string): Promise<Uint8Array[]>
}

/** Wakes waiters. Without it core polls alone. */
export interface WatchableStore {
  /**
   * Hints that something happened to the key. Hints may be lost, doubled or late, and correctness never depends on
   * one. The listener never throws.
   */
  watch(key: string, listener: (hint: Hint) => void): Watch
}

/** Has parts that fail apart from each other. Without it the store is one part. */
export interface PartitionedStore {
  /**
   * The part of the store that answers for this key, e.g. the node of a cluster. Core waits for each part, and leaves
   * each alone, apart from the others.
   */
  domain(key: string): string
}

/** Tells what it went on from. */
export interface NoticingStore {
  /**
   * Calls `listener` with what the store found wrong and went on from, so that no caller hears of it as an error: a
   * hint that the server does not let it publish, say. `topic` is a short name, `message` says what to do.
   * @returns a function that ends it
   */
  onNotice(listener: (topic: string, message: string) => void): () => void
}

/** Which caller asks for a lock, and for which request. */
export interface Claim {
  /** Unguessable id of one execution. Everything it writes after acquire carries it. */
  readonly owner: string
  /** Digest of the request. Another one under the same key is key reuse. */
  readonly fingerprint: string
}

/** How else a key may be acquired. */
export interface AcquireOptions {
  /** The bytes of the record that may be replaced. */
  readonly replacing?: Uint8Array
}

/** What `acquire` found. */
export type Found =
  | { readonly state: 'acquired' }
  | { readonly state: 'locked'; readonly owner: string; readonly fingerprint: string }
  | { readonly state: 'completed'; readonly record: StoredRecord }

/** What `read` found. */
export type Read = { readonly state: 'absent' } | Exclude<Found, { readonly state: 'acquired' }>

/** A finished answer as the store keeps it. */
export interface StoredRecord {
  readonly owner: string
  readonly fingerprint: string
  /** When it was stored, by the store's clock: ms since the epoch. For `Age` only. */
  readonly storedAtMs: number
  /**
   * Exactly the bytes `complete` was given; the reader's own, to keep or change. Where the value under the key is not one this store wrote, all of it,
   * with an empty owner and fingerprint: core then replaces it.
   */
  readonly bytes: Uint8Array
}

/**
 * - `held`: the lock was this owner's and still is.
 * - `retaken`: the key was absent (lapsed, flushed, evicted); the lock is this owner's again.
 * - `completed`: a record stands.
 * - `lost`: another owner holds the lock.
 */
export type Renewed = 'held' | 'retaken' | 'completed' | 'lost'

export interface CompleteOptions {
  /** Write over a standing record of this fingerprint. Such a completion is never answered `standing`. @default false */
  readonly over?: boolean
}

/**
 * - `stored`: this record stands now.
 * - `standing`: a record of this fingerprint stood already, and is given.
 * - `refused`: nothing was written: a void lock, or a lock or record of another fingerprint, stands, or the record is
 *   larger than the store takes.
 */
export type Completed =
  | { readonly state: 'stored' }
  | { readonly state: 'standing'; readonly record: StoredRecord }
  | { readonly state: 'refused' }

/**
 * - `settled`: a record was written.
 * - `ended`: the owner gave the lock up without one.
 * - `held`: the owner has renewed its lease.
 * - `live`: its live log grew at `offset`, by these bytes where they are few.
 * - `missed`: the connection that hints arrive on broke, so that any of them may have been missed. Optional: a store that
 *   cannot tell lets its waiters find out by the silence.
 */
export type Hint =
  | { readonly type: 'settled' | 'ended' | 'held'; readonly owner: string }
  | { readonly type: 'live'; readonly owner: string; readonly offset: number; readonly bytes?: Uint8Array }
  | { readonly type: 'missed' }

export interface Watch {
  /** Resolves when hints from now on will arrive. Rejects if they cannot; polling goes on. */
  readonly ready: Promise<void>
  /** No more hints. May be called twice. */
  stop(): void
}
