import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from '../call/engine.js'
import type { Hint, Store, Watch } from '../store/store.js'

/**
 * Paces the looks of a duplicate while another owner holds the lock. Woken by hints where the store has them; the
 * jittered poll is the net underneath, since hints may be lost.
 */
export class Wait {
  readonly #maxMs: number
  readonly #watch: Watch | undefined
  #intervalMs: number
  #due = false
  #wake: (() => void) | undefined

  /** Begins to watch. Live bytes are not what is waited for here: `onHint` hears of them, and of all else. */
  constructor(
    store: Pick<Store, 'watch'>,
    key: string,
    { pollMinMs, pollMaxMs }: Pick<Engine, 'pollMinMs' | 'pollMaxMs'>,
    onHint?: (hint: Hint) => void,
  ) {
    this.#intervalMs = pollMinMs
    this.#maxMs = pollMaxMs
    this.#watch = store.watch?.(key, (hint) => {
      onHint?.(hint)
      if (hint.type !== 'live') this.#look()
    })
    this.#watch?.ready.then(
      () => this.#look(),
      () => {}, // No hints, then: the poll goes on.
    )
  }

  /**
   * Resolves when it is time to look again: at a hint; when the watch has become ready, since what happened before
   * was not heard; or after the poll interval. Rejects with the signal's reason when aborted.
   */
  readonly next = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    if (!this.#due) await this.#sleep(signal)
    this.#due = false
  }

  stop(): void {
    this.#watch?.stop()
  }

  #look(): void {
    this.#due = true
    this.#wake?.()
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    // Jittered, so that waiters that came together do not look together; never the whole interval, so that a look,
    // its round trip included, is at most pollMaxMs away.
    const ms = this.#intervalMs * (0.5 + Math.random() * 0.4)
    this.#intervalMs = Math.min(this.#intervalMs * 2, this.#maxMs)
    try {
      await delay(ms, undefined, { signal: AbortSignal.any([woken.signal, signal]) })
    } catch {
      signal.throwIfAborted()
    } finally {
      this.#wake = undefined
    }
  }
}
