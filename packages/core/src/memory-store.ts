import { LRUCache } from 'lru-cache'
import { InvalidArgumentError } from './errors/invalid-argument-error.js'
import { StoreError } from './errors/store-error.js'
import type { Claim, Completed, Found, Hint, Read, Renewed, Store, StoredRecord, Watch } from './store.js'

export interface MemoryStoreOptions {
  /**
   * Bytes of records kept; the least recently used go first. Losing one costs a call, never a wrong answer.
   * @default 64 MiB, some thousands of answers, which no server notices
   */
  readonly maxBytes?: number
}

/**
 * The reference store: one process, no network, the same contract. For one server, for development and for tests;
 * processes share nothing through it. Each method runs in one turn of the event loop, which makes it atomic.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const { maxBytes = 64 * 1024 * 1024 } = options
  if (!Number.isSafeInteger(maxBytes) || maxBytes <= 0) {
    throw new InvalidArgumentError(
      `memoryStore: maxBytes must be a positive whole number of bytes, not ${maxBytes}.`,
    )
  }
  return new MemoryStore(maxBytes)
}

interface Lock extends Claim {
  readonly expiresAt: number
  /** Set by forget: no completion is stored while it stands. */
  readonly void: boolean
}

class MemoryStore implements Store {
  /** Apart from the records, so that no amount of answers evicts a lock. Lapsed ones go when their key is next used. */
  readonly #locks = new Map<string, Lock>()
  readonly #records: LRUCache<string, StoredRecord>
  readonly #endings: LRUCache<string, Uint8Array>
  readonly #logs: LRUCache<string, Uint8Array>
  readonly #listeners = new Map<string, Set<(hint: Hint) => void>>()
  #closed = false

  constructor(maxBytes: number) {
    const sizeOf = (bytes: Uint8Array) => Math.max(1, bytes.byteLength)
    // ttlResolution 0: an entry is never served past its time, not even within the millisecond lru-cache caches.
    this.#records = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (record) => sizeOf(record.bytes),
      ttlResolution: 0,
    })
    this.#endings = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf, ttlResolution: 0 })
    this.#logs = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf, ttlResolution: 0 })
  }

  async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options: { replacing?: Uint8Array } = {},
  ): Promise<Found> {
    this.#open()
    const record = this.#records.get(key)
    const replaced = record && options.replacing && equal(record.bytes, options.replacing)
    if (record && !replaced) return { state: 'completed', record: copyOf(record) }
    const lock = this.#lock(key)
    if (lock) return { state: 'locked', owner: lock.owner, fingerprint: lock.fingerprint }
    this.#records.delete(key)
    this.#hold(key, claim, leaseMs)
    return { state: 'acquired' }
  }

  async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    this.#open()
    if (this.#records.has(key)) return 'completed'
    const lock = this.#lock(key)
    if (lock && lock.owner !== claim.owner) return 'lost'
    this.#hold(key, claim, leaseMs, lock?.void)
    return lock ? 'held' : 'retaken'
  }

  async complete(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    this.#open()
    if (this.#refuses(key, claim)) return { state: 'refused' }
    const standing = this.#records.get(key)
    if (standing) return { state: 'standing', record: copyOf(standing) }
    this.#write(key, claim, bytes, ttlMs)
    return { state: 'stored' }
  }

  async replace(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    this.#open()
    if (this.#refuses(key, claim)) return false
    this.#write(key, claim, bytes, ttlMs)
    return true
  }

  async read(key: string): Promise<Read> {
    this.#open()
    const record = this.#records.get(key)
    if (record) return { state: 'completed', record: copyOf(record) }
    const lock = this.#lock(key)
    return lock ? { state: 'locked', owner: lock.owner, fingerprint: lock.fingerprint } : { state: 'absent' }
  }

  async forget(key: string): Promise<boolean> {
    this.#open()
    const lock = this.#lock(key)
    if (lock) this.#locks.set(key, { ...lock, void: true })
    return this.#records.delete(key) || lock !== undefined
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
    this.#endings.set(`${key} ${owner}`, new Uint8Array(ending), { ttl: ms })
  }

  async ending(key: string, owner: string): Promise<Uint8Array | undefined> {
    this.#open()
    const ending = this.#endings.get(`${key} ${owner}`)
    return ending && new Uint8Array(ending)
  }

  async append(key: string, owner: string, offset: number, bytes: Uint8Array, ms: number): Promise<number> {
    this.#open()
    const name = `${key} ${owner}`
    const log = this.#logs.get(name) ?? new Uint8Array()
    const end = offset + bytes.byteLength
    if (log.byteLength !== offset) {
      const again = end <= log.byteLength && equal(log.subarray(offset, end), bytes)
      return again ? end : log.byteLength
    }
    this.#logs.set(name, Buffer.concat([log, bytes]), { ttl: ms })
    this.#hint(key, { type: 'live', owner, offset, bytes: new Uint8Array(bytes) })
    return end
  }

  async tail(key: string, owner: string, from: number): Promise<Uint8Array | undefined> {
    this.#open()
    const log = this.#logs.get(`${key} ${owner}`)
    return log && new Uint8Array(log.subarray(from))
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
    this.#records.clear()
    this.#endings.clear()
    this.#logs.clear()
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
    const standing = this.#records.get(key) ?? lock
    return lock?.void === true || (standing !== undefined && standing.fingerprint !== fingerprint)
  }

  #write(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): void {
    const { owner, fingerprint } = claim
    const record = { owner, fingerprint, storedAtMs: Date.now(), bytes: new Uint8Array(bytes) }
    this.#records.set(key, record, { ttl: ttlMs })
    this.#locks.delete(key)
    this.#hint(key, { type: 'settled', owner })
  }

  #hint(key: string, hint: Hint): void {
    for (const listener of this.#listeners.get(key) ?? []) queueMicrotask(() => listener(hint))
  }
}

/** A reader's own: what it does to the bytes reaches nobody else. */
function copyOf(record: StoredRecord): StoredRecord {
  return { ...record, bytes: new Uint8Array(record.bytes) }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
