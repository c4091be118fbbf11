import { StoreError } from '../errors/store-errors.js'
import {
  type Claim,
  type Completed,
  type CompleteOptions,
  type Found,
  type Hint,
  type LiveStore,
  type Read,
  type Renewed,
  type ReportStore,
  STORE_SPEC_VERSION,
  type Store,
  type StoredRecord,
  type Watch,
  type WatchableStore,
} from '../store/store.js'
import { assertKnown, assertWhole } from '../util/assert.js'
import { MemoryBoards } from './memory-boards.js'
import { MemoryHints } from './memory-hints.js'
import { MemoryLocks } from './memory-locks.js'
import { equal, extended, MemoryShelf } from './memory-shelf.js'

export interface MemoryStoreOptions {
  /**
   * Bytes kept of records, notes and live logs together; the least recently used go first. Losing one costs a call,
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

class MemoryStore implements Store, LiveStore, ReportStore, WatchableStore {
  readonly specVersion = STORE_SPEC_VERSION
  /** Apart from the rest, so that no number of answers evicts a lock. A lapsed lock goes when its key is next used. */
  readonly #locks = new MemoryLocks()
  /** Records under their key; notes and live logs under key, kind and name. */
  readonly #kept: MemoryShelf
  readonly #boards = new MemoryBoards()
  readonly #hints = new MemoryHints()
  #closed = false

  constructor(maxBytes: number) {
    this.#kept = new MemoryShelf(maxBytes)
  }

  async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options: { replacing?: Uint8Array } = {},
  ): Promise<Found> {
    this.#open()
    const found = this.#look(key)
    const isReplaced =
      found.state === 'completed' && options.replacing && equal(found.record.bytes, options.replacing)
    if (found.state !== 'absent' && !isReplaced) return found
    this.#kept.delete(key)
    this.#locks.hold(key, claim, leaseMs)
    return { state: 'acquired' }
  }

  async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    this.#open()
    if (this.#kept.has(key)) return 'completed'
    const lock = this.#locks.get(key)
    if (lock && lock.owner !== claim.owner) return 'lost'
    this.#locks.hold(key, claim, leaseMs, lock?.void)
    this.#hints.tell(key, { type: 'held', owner: claim.owner })
    return lock ? 'held' : 'retaken'
  }

  async complete(
    key: string,
    claim: Claim,
    bytes: Uint8Array,
    ttlMs: number,
    { over = false }: CompleteOptions = {},
  ): Promise<Completed> {
    this.#open()
    if (this.#refuses(key, claim)) return { state: 'refused' }
    const standing = this.#record(key)
    if (standing && !over) return { state: 'standing', record: copyOf(standing) }
    return { state: this.#write(key, claim, bytes, ttlMs) ? 'stored' : 'refused' }
  }

  async read(key: string): Promise<Read> {
    this.#open()
    return this.#look(key)
  }

  async forget(key: string): Promise<boolean> {
    this.#open()
    const lock = this.#locks.get(key)
    if (lock) this.#locks.makeVoid(key, lock)
    // An expired one counts as absent, although it still has to be taken out.
    const stood = lock !== undefined || this.#kept.has(key)
    this.#kept.delete(key)
    return stood
  }

  async release(key: string, owner: string): Promise<boolean> {
    this.#open()
    if (this.#locks.get(key)?.owner !== owner) return false
    this.#locks.delete(key)
    this.#hints.tell(key, { type: 'ended', owner })
    return true
  }

  async leaveNote(key: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    this.#open()
    this.#kept.set(`${key} note ${name}`, { bytes: new Uint8Array(bytes) }, ms)
  }

  async readNote(key: string, name: string): Promise<Uint8Array | undefined> {
    this.#open()
    const note = this.#kept.get(`${key} note ${name}`)
    return note && new Uint8Array(note.bytes)
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
    this.#kept.set(name, { bytes: extended(log, bytes) }, ms)
    this.#hints.tell(key, { type: 'live', owner, offset, bytes: new Uint8Array(bytes) })
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
    return this.#hints.watch(key, listener)
  }

  async ready(): Promise<void> {
    this.#open()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#locks.clear()
    this.#kept.clear()
    this.#boards.clear()
    this.#hints.clear()
  }

  #open(): void {
    if (this.#closed)
      throw new StoreError('The memory store was closed.', { effect: 'none', refused: 'closed' })
  }

  #look(key: string): Read {
    const record = this.#record(key)
    if (record) return { state: 'completed', record: copyOf(record) }
    const lock = this.#locks.get(key)
    return lock ? { state: 'locked', owner: lock.owner, fingerprint: lock.fingerprint } : { state: 'absent' }
  }

  #refuses(key: string, { fingerprint }: Claim): boolean {
    const lock = this.#locks.get(key)
    const standing = this.#record(key) ?? lock
    return lock?.void === true || (standing !== undefined && standing.fingerprint !== fingerprint)
  }

  #write(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): boolean {
    const { owner, fingerprint } = claim
    const record: StoredRecord = { owner, fingerprint, storedAtMs: Date.now(), bytes: new Uint8Array(bytes) }
    if (!this.#kept.set(key, record, ttlMs)) return false
    this.#locks.delete(key)
    this.#hints.tell(key, { type: 'settled', owner })
    return true
  }

  #record(key: string): StoredRecord | undefined {
    return this.#kept.get(key) as StoredRecord | undefined
  }
}

/** A copy for one reader, which may change it. */
function copyOf(record: StoredRecord): StoredRecord {
  return { ...record, bytes: new Uint8Array(record.bytes) }
}
