import type { Answer } from '../answer/record.js'
import { isStoreError, type StoreError } from '../errors/store-errors.js'
import type { Events } from '../observe/events.js'
import type { GuardedStore } from '../store/guard.js'
import type { Completed } from '../store/store.js'
import type { Background } from '../util/background.js'
import { nextTry } from './next-try.js'

/** How long a command that settles a key is tried again, ms. */
export const RETRY_MS = 60_000
/**
 * The first pause before another try, ms, unless the server refused: the connection may be back already. It doubles.
 */
const FIRST_PAUSE_MS = 50
/** How many answers wait for their commit at most, and how many bytes they hold together. The oldest goes first. */
const MAX_ANSWERS = 1_000
const MAX_BYTES = 64 * 1024 * 1024

/** A finished answer whose record could not be written. */
export interface Uncommitted {
  readonly id: string
  readonly fingerprint: string
  readonly answer: Answer
  readonly ttlMs: number
  /** Whether it was made under the lock. Without it another process may have made the call, too. */
  readonly isLocked: boolean
  /** How long its commit is tried again, ms. */
  readonly retryMs: number
  /** Why it could not be written. */
  readonly error: StoreError | undefined
  commit(): Promise<Completed>
  /** Called when it waits no longer. `isSettled`: the store has answered, so its word is final. */
  onEnd?(isSettled: boolean): void
}

/** What a caller that asks for a key brings along. */
interface Asking<T> extends Pick<Uncommitted, 'id' | 'fingerprint' | 'ttlMs'> {
  readonly ifStoreFails: 'execute' | 'reject'
  readonly codec: { decode(answer: Answer): T }
}

interface Replayed<T> {
  readonly value: T
  readonly answer: Answer
  readonly record: { readonly storedAtMs: number; readonly ttlMs: number }
}

interface Waiting extends Uncommitted {
  readonly storedAtMs: number
  readonly dropped: AbortController
}

/**
 * Answers that are paid for and not stored yet. Each is committed as soon as the store takes it, and given to later
 * callers of this process meanwhile. One for each key: a newer answer replaces an older one.
 */
export class Commits {
  readonly #store: GuardedStore
  readonly #background: Background
  readonly #events: Events
  readonly #maxPauseMs: number
  readonly #waiting = new Map<string, Waiting>()
  #bytes = 0

  constructor(store: GuardedStore, background: Background, events: Events, leaseMs: number) {
    this.#store = store
    this.#background = background
    this.#events = events
    this.#maxPauseMs = leaseMs / 3
  }

  add(uncommitted: Uncommitted): void {
    const waiting: Waiting = { ...uncommitted, storedAtMs: Date.now(), dropped: new AbortController() }
    this.forget(waiting.id)
    this.#waiting.set(waiting.id, waiting)
    this.#bytes += waiting.answer.body.byteLength
    for (const oldest of this.#waiting.values()) {
      if (oldest === waiting || !this.#isOverLimits) break
      this.#end(oldest, false)
      this.#giveUp(oldest)
    }
    this.#background.add(this.#retry(waiting))
  }

  /** The answer for a later caller of this process, as if the record stood already. */
  replay<T>(call: Asking<T>): Replayed<T> | undefined {
    const { id, fingerprint, ttlMs, codec } = call
    const waiting = this.#waiting.get(id)
    if (!waiting || waiting.fingerprint !== fingerprint) return undefined
    if (call.ifStoreFails === 'reject' && !waiting.isLocked) return undefined
    const { answer, storedAtMs } = waiting
    if (Date.now() - storedAtMs > Math.min(ttlMs, waiting.ttlMs)) return undefined
    try {
      return { value: codec.decode(answer), answer, record: { storedAtMs, ttlMs: waiting.ttlMs } }
    } catch {
      return undefined // Not an answer of this door.
    }
  }

  /** Drops the answer: it is neither replayed nor stored later. */
  forget(id: string): void {
    const waiting = this.#waiting.get(id)
    if (waiting) this.#end(waiting, true)
  }

  get #isOverLimits(): boolean {
    return this.#waiting.size > MAX_ANSWERS || this.#bytes > MAX_BYTES
  }

  #end(waiting: Waiting, isSettled: boolean): void {
    if (this.#waiting.get(waiting.id) !== waiting) return
    this.#waiting.delete(waiting.id)
    this.#bytes -= waiting.answer.body.byteLength
    waiting.dropped.abort()
    waiting.onEnd?.(isSettled)
  }

  #giveUp({ error }: Waiting): void {
    const reason = error ? ` (${error.message})` : ''
    this.#events.warn(
      'not-stored',
      `An answer could not be stored and is given up${reason}. The next call of its key is made again.`,
    )
  }

  /**
   * At once when the store is back; otherwise after a third of a lease at most. When idem closes, once more at once.
   */
  async #retry(waiting: Waiting): Promise<void> {
    const { closing } = this.#background
    const { dropped, retryMs } = waiting
    const signal = AbortSignal.any([closing, dropped.signal])
    const until = performance.now() + retryMs
    let pauseMs = waiting.error?.refused === undefined ? FIRST_PAUSE_MS : this.#maxPauseMs
    do {
      await nextTry(this.#store, waiting.id, Math.min(pauseMs, this.#maxPauseMs), signal)
      pauseMs *= 2
      if (dropped.signal.aborted) return
      try {
        await waiting.commit()
        this.#end(waiting, true)
        return
      } catch (error) {
        if (!isStoreError(error)) throw error
      }
    } while (!closing.aborted && performance.now() < until)
    if (dropped.signal.aborted) return
    this.#end(waiting, false)
    this.#giveUp(waiting)
  }
}
