import { LRUCache } from 'lru-cache'
import { StoreError } from './errors/store-error.js'
import { MemoryBoards } from './memory-boards.js'
import { assertKnown, assertWhole } from './options.js'
import type { Claim, Completed, Found, Hint, Read, Renewed, Store, StoredRecord, Watch } from './store.js'

export interface MemoryStoreOptions {
  /**
   * Bytes kept of records, endings and live logs together; the least recently used go first. Losing one costs a call,
   * never a wrong answer.
   * @default 64 MiB, some thousands of answers, which no server notices
   */
  readonly maxBytes?: number
}

/**
 * The reference store: one process, no network, the same contract. For one server, for development and for tests;
 * processes share nothing through it. Each method runs in one turn of the event loop, which makes it atomic.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  assertKnown(options, ['maxBytes'], 'memoryStore')
  const { maxBytes = 64 * 1024 * 1024 } = options
  assertWhole(maxBytes, 'memoryStore: maxBytes')
  return new MemoryStore(maxBytes)
}

interface Lock extends Claim {
  readonly expiresAt: number
  /** Set by forget: no completion is stored while it stands. */
  readonly void: boolean
}

interface Kept {
  readonly bytes: Uint8Array
}

/** What an entry takes besides its bytes, about. */
const ENTRY_BYTES = 512
/** After so many entries those whose time is over are thrown out; nobody may ever ask for them again. */
const PURGE_EVERY = 1_000

class MemoryStore implements Store {
  /** Apart from the rest, so that no amount of answers evicts a lock. Lapsed ones go when their key is next used. */
  readonly #locks = new Map<string, Lock>()
  /** Records under their key; endings and live logs under key, kind and owner. */
  readonly #kept: LRUCache<string, Kept>
  readonly #boards = new MemoryBoards()
  readonly #listeners = new Map<string, Set<(hint: Hint) => void>>()
  #closed = false
  #sets = 0

  constructor(maxBytes: number) {
    this.#kept = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes }) => bytes.byteLength + ENTRY_BYTES,
      // An entry is never served past its time, not even within the ms lru-cache would cache the time for.
      ttlResolution: 0,
    })
  }

  async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options: { replacing?: Uint8Array } = {},
  ): Promise<Found> {
    this.#open()
    const record = this.#record(key)
    const replaced = record && options.replacing && equal(record.bytes, options.replacing)
    if (record && !replaced) return { state: 'completed', record: copyOf(record) }
    const lock = this.#lock(key)
    if (lock) return { state: 'locked', owner: lock.owner, fingerprint: lock.fingerprint }
    this.#kept.delete(key)
    this.#hold(key, claim, leaseMs)
    return { state: 'acquired' }
  }

  async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    this.#open()
    if (this.#kept.has(key)) return 'completed'
    const lock = this.#lock(key)
    if (lock && lock.owner !== claim.owner) return 'lost'
    this.#hold(key, claim, leaseMs, lock?.void)
    return lock ? 'held' : 'retaken'
  }

  async complete(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    this.#open()
    if (this.#refuses(key, claim)) return { state: 'refused' }
    const standing = this.#record(key)
    if (standing) return { state: 'standing', record: copyOf(standing) }
    return { state: this.#write(key, claim, bytes, ttlMs) ? 'stored' : 'refused' }
  }

  async replace(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    this.#open()
    if (this.#refuses(key, claim)) return false
    return this.#write(key, claim, bytes, ttlMs)
  }

  async read(key: string): Promise<Read> {
    this.#open()
    const record = this.#record(key)
    if (record) return { state: 'completed', record: copyOf(record) }
    const lock = this.#lock(key)
    return lock ? { state: 'locked', owner: lock.owner, fingerprint: lock.fingerprint } : { state: 'absent' }
  }

  async forget(key: string): Promise<boolean> {
    this.#open()
    const lock = this.#lock(key)
    if (lock) this.#locks.set(key, { ...lock, void: true })
    // One whose time is over is not there, although it still has to be taken out.
    const stood = lock !== undefined || this.#kept.has(key)
    this.#kept.delete(key)
    return stood
  }

  async release(key: string, owner: string): Promise<boolean> {
    this.#open()
    if (this.#lock(key)?.owner !== owner) return false
    this.#locks.delete(key)
    this.#hint(key, { type: 'ended', owner })
    return true
  }

  async end(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    this.#open()
    this.#keep(`${key} end ${owner}`, { bytes: new Uint8Array(ending) }, ms)
  }

  async ending(key: string, owner: string): Promise<Uint8Array | undefined> {
    this.#open()
    const ending = this.#kept.get(`${key} end ${owner}`)
    return ending && new Uint8Array(ending.bytes)
  }

  async append(key: string, owner: string, offset: number, bytes: Uint8Array, ms: number): Promise<number> {
    this.#open()
    const name = `${key} live ${owner}`
    const log = this.#kept.get(name)?.bytes ?? new Uint8Array()
    const end = offset + bytes.byteLength
    if (log.byteLength !== offset) {
      const again = end <= log.byteLength && equal(log.subarray(offset, end), bytes)
      return again ? end : log.byteLength
    }
    this.#keep(name, { bytes: extended(log, bytes) }, ms)
    this.#hint(key, { type: 'live', owner, offset, bytes: new Uint8Array(bytes) })
    return end
  }

  async tail(key: string, owner: string, from: number): Promise<Uint8Array | undefined> {
    this.#open()
    const log = this.#kept.get(`${key} live ${owner}`)
    return log && new Uint8Array(log.bytes.subarray(from))
  }

  async report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    this.#open()
    this.#boards.write(board, name, bytes, ms)
  }

  async reports(board: string): Promise<Uint8Array[]> {
    this.#open()
    return this.#boards.read(board)
  }

  watch(key: string, listener: (hint: Hint) => void): Watch {
    const listeners = this.#listeners.get(key) ?? new Set()
    // A listener of its own, so that one function may watch twice.
    const heard = (hint: Hint) => listener(hint)
    this.#listeners.set(key, listeners.add(heard))
    return {
      ready: Promise.resolve(),
      stop: () => {
        listeners.delete(heard)
        if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key)
      },
    }
  }

  async ready(): Promise<void> {
    this.#open()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#locks.clear()
    this.#kept.clear()
    this.#boards.clear()
    this.#listeners.clear()
  }

  #open(): void {
    if (this.#closed) throw new StoreError('The memory store was closed.', { effect: 'none' })
  }

  #lock(key: string): Lock | undefined {
    const lock = this.#locks.get(key)
    if (lock === undefined || lock.expiresAt > performance.now()) return lock
    this.#locks.delete(key)
    return undefined
  }

  #hold(key: string, { owner, fingerprint }: Claim, leaseMs: number, isVoid = false): void {
    this.#locks.set(key, { owner, fingerprint, expiresAt: performance.now() + leaseMs, void: isVoid })
  }

  #refuses(key: string, { fingerprint }: Claim): boolean {
    const lock = this.#lock(key)
    const standing = this.#record(key) ?? lock
    return lock?.void === true || (standing !== undefined && standing.fingerprint !== fingerprint)
  }

  #write(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): boolean {
    const { owner, fingerprint } = claim
    const record: StoredRecord = { owner, fingerprint, storedAtMs: Date.now(), bytes: new Uint8Array(bytes) }
    if (!this.#keep(key, record, ttlMs)) return false
    this.#locks.delete(key)
    this.#hint(key, { type: 'settled', owner })
    return true
  }

  /** @returns false for what is larger than all there is room for */
  #keep(name: string, kept: Kept, ttlMs: number): boolean {
    if (++this.#sets % PURGE_EVERY === 0) this.#kept.purgeStale()
    this.#kept.set(name, kept, { ttl: ttlMs })
    return this.#kept.has(name)
  }

  #record(key: string): StoredRecord | undefined {
    return this.#kept.get(key) as StoredRecord | undefined
  }

  #hint(key: string, hint: Hint): void {
    for (const listener of this.#listeners.get(key) ?? []) queueMicrotask(() => listener(hint))
  }
}

/** A reader's own: what it does to the bytes reaches nobody else. */
function copyOf(record: StoredRecord): StoredRecord {
  return { ...record, bytes: new Uint8Array(record.bytes) }
}

/** A log with more bytes, in place where there is room: a log that grows by little pieces is not copied for each. */
function extended(log: Uint8Array, bytes: Uint8Array): Uint8Array {
  const length = log.byteLength + bytes.byteLength
  const isRoomy = length <= log.buffer.byteLength
  const buffer = isRoomy ? log.buffer : new ArrayBuffer(2 * length)
  const longer = new Uint8Array(buffer, 0, length)
  if (!isRoomy) longer.set(log)
  longer.set(bytes, log.byteLength)
  return longer
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
