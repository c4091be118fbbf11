import { LRUCache } from 'lru-cache'

interface Kept {
  readonly bytes: Uint8Array
}

/** What an entry takes besides its bytes, about. */
const ENTRY_BYTES = 512
/** After so many entries, expired ones are thrown out: nobody may ever ask for them again. */
const PURGE_EVERY = 1_000

/** Entries with a time to live, within a number of bytes: the least recently used go first. */
export class MemoryShelf {
  readonly #kept: LRUCache<string, Kept>
  #sets = 0

  constructor(maxBytes: number) {
    this.#kept = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes }) => bytes.byteLength + ENTRY_BYTES,
      // An entry is never served past its time, not even within the ms lru-cache would cache the time for.
      ttlResolution: 0,
    })
  }

  /** @returns false for an entry that is larger than the whole shelf */
  set(name: string, kept: Kept, ttlMs: number): boolean {
    if (++this.#sets % PURGE_EVERY === 0) this.#kept.purgeStale()
    this.#kept.set(name, kept, { ttl: ttlMs })
    return this.#kept.has(name)
  }

  get(name: string): Kept | undefined {
    return this.#kept.get(name)
  }

  has(name: string): boolean {
    return this.#kept.has(name)
  }

  delete(name: string): void {
    this.#kept.delete(name)
  }

  clear(): void {
    this.#kept.clear()
  }
}

/** A log with more bytes, in place where there is room: a log that grows by little pieces is not copied for each. */
export function extended(log: Uint8Array, bytes: Uint8Array): Uint8Array {
  const length = log.byteLength + bytes.byteLength
  const isRoomy = length <= log.buffer.byteLength
  const buffer = isRoomy ? log.buffer : new ArrayBuffer(2 * length)
  const longer = new Uint8Array(buffer, 0, length)
  if (!isRoomy) longer.set(log)
  longer.set(bytes, log.byteLength)
  return longer
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
