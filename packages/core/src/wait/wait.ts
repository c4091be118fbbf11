import type { Engine } from '../call/engine.js'
import type { Hint, Store, Watch } from '../store/store.js'

/** The longest time between two looks while the owner is heard, ms: its last hint, too, may be lost or be refused. */
const QUIET_MS = 2_500

/**
 * Paces the looks of a duplicate while another owner holds the lock. Woken by hints where the store has them; the
 * jittered poll is the net underneath, since hints may be lost. While the owner is heard, hints do arrive, and looks are
 * seconds apart. An owner renews its lease every third of it, so that half a lease of silence brings the poll back before
 * the lock of a lost owner lapses.
 */
export class Wait {
  readonly #maxMs: number
  readonly #halfLeaseMs: number
  readonly #watch: Watch | undefined
  #intervalMs: number
  /** The owner counts as heard until then. */
  #heardUntil = 0
  #due = false
  #wake: (() => void) | undefined

  /** Begins to watch. `onHint` hears of all that is heard, live bytes included. */
  constructor(
    store: Pick<Store, 'watch'>,
    key: string,
    { pollMinMs, pollMaxMs, leaseMs }: Pick<Engine, 'pollMinMs' | 'pollMaxMs' | 'leaseMs'>,
    onHint?: (hint: Hint) => void,
  ) {
    this.#intervalMs = pollMinMs
    this.#maxMs = pollMaxMs
    this.#halfLeaseMs = leaseMs / 2
    this.#watch = store.watch?.(key, (hint) => {
      onHint?.(hint)
      this.#hear(hint)
    })
    this.#watch?.ready.then(
      () => {
        // From now on polls only find what hints have missed.
        this.#intervalMs = this.#maxMs
        this.#look()
      },
      () => {}, // No hints, then: the poll goes on.
    )
  }

  /**
   * Resolves when it is time to look again: at a hint that something ended; when the watch has become ready, or was
   * broken, since what happened meanwhile was not heard; or after the interval. Rejects with the signal's reason when
   * aborted.
   */
  readonly next = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    if (!this.#due) await this.#sleep(signal)
    this.#due = false
  }

  /** Whether an owner is at work, as far as hints tell. */
  get isHearing(): boolean {
    return performance.now() < this.#heardUntil
  }

  stop(): void {
    this.#watch?.stop()
  }

  #hear({ type }: Hint): void {
    const isAtWork = type === 'held' || type === 'live'
    this.#heardUntil = isAtWork ? performance.now() + this.#halfLeaseMs : 0
    if (!isAtWork) this.#look()
  }

  #look(): void {
    this.#due = true
    this.#wake?.()
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const now = performance.now()
    // Jittered, so that waiters that came together do not look together; never the whole interval, so that a look,
    // its round trip included, is at most that far away.
    const until = now + this.#intervalMs * (0.5 + Math.random() * 0.4)
    const quietUntil = now + Math.min(this.#halfLeaseMs, QUIET_MS) * (0.8 + Math.random() * 0.2)
    this.#intervalMs = Math.min(this.#intervalMs * 2, this.#maxMs)
    await this.#pause(until - now, signal)
    for (;;) {
      const restMs = Math.min(quietUntil, this.#heardUntil) - performance.now()
      // A timer may end 1 ms early.
      if (this.#due || restMs <= 1) return
      await this.#pause(restMs, signal)
    }
  }

  /** Waits so long, or until it is time to look. Rejects with the signal's reason when aborted. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        this.#wake = undefined
        if (signal.aborted) reject(signal.reason)
        else resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
      this.#wake = end
    })
  }
}
