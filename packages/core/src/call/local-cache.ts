import { LRUCache } from 'lru-cache'
import type { Answer } from '../answer/record.js'
import * as check from '../util/assert.js'

/** What `localCache` of `createIdem` takes. */
export interface LocalCacheOptions {
  /**
   * Bytes of answers that are kept; the least recently used go first.
   * @default 32 MiB
   */
  readonly maxBytes?: number
  /**
   * How long an answer is given out without asking the store, ms: how long a `forget` or a `refresh` of another process
   * may go unseen.
   * @default 2_000: duplicates of one process come within seconds
   */
  readonly maxAgeMs?: number
}

/** What a caller that asks for a key brings along. */
interface Asking<T> {
  readonly id: string
  readonly fingerprint: string
  readonly ttlMs: number
  readonly codec: { decode(answer: Answer, from: 'record'): T }
}

interface Kept {
  readonly fingerprint: string
  readonly answer: Answer
  readonly record: { readonly storedAtMs: number; readonly ttlMs: number }
  /** By the clock of this process, ms. */
  readonly until: number
}

interface Replayed<T> extends Pick<Kept, 'answer' | 'record'> {
  readonly value: T
}

/** What an entry takes besides its answer, about. */
const ENTRY_BYTES = 512

/** @throws InvalidArgumentError for an option that cannot be used */
export function localCacheOf(options: LocalCacheOptions | undefined): LocalCache | undefined {
  if (options === undefined) return undefined
  check.assertKnown(options, ['maxBytes', 'maxAgeMs'], 'localCache')
  const { maxBytes = 32 * 1024 * 1024, maxAgeMs = 2_000 } = options
  check.assertWhole(maxBytes, 'localCache.maxBytes')
  check.assertMs(maxAgeMs, 'localCache.maxAgeMs')
  return new LocalCache(maxBytes, maxAgeMs)
}

/**
 * Records of the store in this process, for a short time, so that a replay costs no round trip. What this process
 * forgets or refreshes is gone from here at once; of others it learns when the time is over.
 */
export class LocalCache {
  readonly #kept: LRUCache<string, Kept>
  readonly #maxAgeMs: number
  #forgets = 0

  constructor(maxBytes: number, maxAgeMs: number) {
    this.#kept = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ answer }) => answer.body.byteLength + ENTRY_BYTES,
    })
    this.#maxAgeMs = maxAgeMs
  }

  /** To be read before the store is asked. What was read there is not kept if anything was forgotten meanwhile. */
  get now(): number {
    return this.#forgets
  }

  /** The record as a replay of the store would give it. */
  replay<T>({ id, fingerprint, ttlMs, codec }: Asking<T>): Replayed<T> | undefined {
    const kept = this.#kept.get(id)
    if (kept?.fingerprint !== fingerprint || performance.now() >= kept.until) return undefined
    const { answer, record } = kept
    if (Date.now() - record.storedAtMs > ttlMs) return undefined
    try {
      return { value: codec.decode(answer, 'record'), answer, record }
    } catch {
      return undefined // Not an answer of this door.
    }
  }

  /** Keeps what was read or written at `since` or later. */
  keep(
    { id, fingerprint }: Pick<Asking<unknown>, 'id' | 'fingerprint'>,
    answer: Answer,
    record: Partial<Kept['record']> & Pick<Kept['record'], 'ttlMs'>,
    since: number,
  ): void {
    if (since !== this.#forgets) return
    const { ttlMs, storedAtMs = Date.now() } = record
    const forMs = Math.min(this.#maxAgeMs, storedAtMs + ttlMs - Date.now())
    this.#kept.set(id, {
      fingerprint,
      // A copy: a client may have cut these bytes out of a larger piece, which would be kept whole.
      answer: { ...answer, body: new Uint8Array(answer.body) },
      record: { ttlMs, storedAtMs },
      until: performance.now() + forMs,
    })
  }

  forget(id: string): void {
    this.#forgets++
    this.#kept.delete(id)
  }
}
