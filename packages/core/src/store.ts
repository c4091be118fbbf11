/**
 * The one interface between idem and whatever keeps its locks and records. Core calls it; adapters implement it;
 * nobody else needs it. A key moves `absent -> locked -> completed -> absent`, and each method below is one atomic
 * step of that. `docs/protocol.md` tells the whole protocol, `@idem/conformance` tests it.
 *
 * Keys, owners and fingerprints are made by core and are safe in any store: 1 to 64 characters of base64url. Times
 * are durations in ms, counted by the store's own clock: clocks of two machines are never compared.
 */
export interface Store {
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
   * of the same fingerprint holds it. A void lock, and anything of another fingerprint, is never overwritten. Wakes
   * watchers.
   */
  complete(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed>

  /** Gives the lock up if this owner holds it, and wakes watchers. Never touches a record. @returns whether it did. */
  release(key: string, owner: string): Promise<boolean>

  /**
   * Leaves word of how an execution ended that left no record. Written before the lock is released, so that a waiter
   * which sees the lock gone finds it; lives `ms`. Waiters leave a mark for the owner the same way, under a name that
   * no owner has.
   */
  end(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void>

  /** The ending this owner left on this key, if it is still there. */
  ending(key: string, owner: string): Promise<Uint8Array | undefined>

  /** What stands, without taking the lock. */
  read(key: string): Promise<Read>

  /**
   * Writes a record over the one that stands, for a refresh; over a lock as `complete` does. A void lock, or anything
   * of another fingerprint, is left alone. Wakes watchers. @returns whether it was written.
   */
  replace(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean>

  /**
   * Removes a record, or makes a lock void: its owner keeps it, renews it and releases it, but no completion is stored
   * while it stands. @returns whether there was anything to forget.
   */
  forget(key: string): Promise<boolean>

  /**
   * Adds bytes to the live log of one execution if it is `offset` long, and gives it another `ms` to live. Where the
   * log has exactly these bytes at `offset` already (the reply to the first try was lost), it is left as it is.
   * Otherwise nothing is written. Wakes watchers with the bytes, if they are few.
   *
   * Optional, together with `tail`: without them a duplicate of a running stream waits for its record.
   * @returns how long the log is now: `offset` plus these bytes when they are in it
   */
  append?(key: string, owner: string, offset: number, bytes: Uint8Array, ms: number): Promise<number>

  /** The live log of one execution from this offset on, empty at its end; undefined when there is no such log. */
  tail?(key: string, owner: string, from: number): Promise<Uint8Array | undefined>

  /**
   * Writes one report on a board, over what stood under this name, and gives the board another `ms` to live. Boards
   * are apart from keys, and named as keys are.
   *
   * Optional, together with `reports`: without them nobody can say what a fleet of processes did.
   */
  report?(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void>

  /** All reports on a board, in any order; none where there is no such board. */
  reports?(board: string): Promise<Uint8Array[]>

  /**
   * The part of the store that answers for this key, e.g. the node of a cluster: parts fail apart from each other, so
   * core leaves them alone apart from each other. Optional: without it the store is one part.
   */
  domain?(key: string): string

  /**
   * Hints that something happened to the key. Optional: without it core polls alone. Hints may be lost, doubled or
   * late, and correctness never depends on one. The listener never throws.
   */
  watch?(key: string, listener: (hint: Hint) => void): Watch

  /**
   * Resolves once a command can be answered. Rejects with a StoreError if it never can (the client was closed). Core
   * waits for it under its time budget before every command, so that nothing is queued in a client that is not
   * connected and runs long after its caller gave up.
   */
  ready(): Promise<void>

  /** Lets go of what the store opened itself; never closes a client it was given. */
  close(): Promise<void>
}

/** Who asks for a lock, and for which request. */
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
 * - `live`: its live log grew at `offset`, by these bytes where they are few.
 */
export type Hint =
  | { readonly type: 'settled' | 'ended'; readonly owner: string }
  | { readonly type: 'live'; readonly owner: string; readonly offset: number; readonly bytes?: Uint8Array }

export interface Watch {
  /** Resolves when hints from now on will arrive. Rejects if they cannot; polling goes on. */
  readonly ready: Promise<void>
  /** No more hints. May be called twice. */
  stop(): void
}

const METHODS = [
  'acquire',
  'renew',
  'complete',
  'release',
  'end',
  'ending',
  'read',
  'replace',
  'forget',
  'ready',
  'close',
] as const

/** The names of the required methods that `candidate` lacks. */
export function missingStoreMethods(candidate: unknown): string[] {
  const store = candidate as Partial<Record<string, unknown>> | null
  return METHODS.filter((name) => typeof store?.[name] !== 'function')
}
