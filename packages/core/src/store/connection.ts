import { setTimeout as delay } from 'node:timers/promises'
import { isIdemError } from '../errors/idem-error.js'
import { StoreError } from '../errors/store-errors.js'
import { inTime } from '../util/budget.js'

/** How often a connection that was lost is asked for, ms, and one that somebody closed. No command is sent for it. */
const LOOK_EVERY_MS = 25
const LOOK_WHEN_CLOSED_MS = 500

/**
 * Whether a part of the store can be sent commands. A connection that is lost for a moment is waited for, since a duplicate call
 * costs more than the wait; one that has been away for `patienceMs` is only looked at, until it is back.
 */
export class Connection {
  readonly #askStore: () => Promise<void>
  readonly #patienceMs: number
  readonly #onBack: () => void
  #wasReady: boolean
  #lostAt: number | undefined
  #reason: StoreError | undefined
  #back: Promise<void> | undefined
  #isStopped = false

  /**
   * `ask` resolves when commands can be sent. `onBack` is called when a connection that was lost is there again.
   * `wasReady`: whether the store was ever connected, as far as is known.
   */
  constructor(ask: () => Promise<void>, patienceMs: number, onBack: () => void, wasReady = false) {
    this.#askStore = ask
    this.#wasReady = wasReady
    this.#patienceMs = patienceMs
    this.#onBack = onBack
  }

  /** Resolves when commands can be sent. Rejects where waiting cannot help, and after `ms`. */
  async ready(ms: number): Promise<void> {
    if (await this.#look()) return
    const awayForMs = performance.now() - (this.#lostAt ?? performance.now())
    const waitMs = Math.min(ms, this.#patienceMs - awayForMs)
    // A client that somebody closed will not come back in a moment.
    const isClosed = this.#reason?.refused !== undefined
    // A timer may end 1 ms early: with that left the wait is over.
    if (isClosed || waitMs <= 1) throw this.#reason ?? notReady()
    // For a first connection: a try that fails ends the wait.
    const ready = this.#wasReady ? this.back() : this.#ask()
    await inTime(ready, waitMs, () => this.#reason ?? notReady())
  }

  /** Whether the store was ever connected. */
  get wasReady(): boolean {
    return this.#wasReady
  }

  /** Whether the store is connected now, without waiting. */
  async isThere(): Promise<boolean> {
    return this.#look()
  }

  /** Stops looking. */
  stop(): void {
    this.#isStopped = true
  }

  /** Resolves when the store is connected, however long that takes; or after `stop`. */
  back(): Promise<void> {
    this.#lostAt ??= performance.now()
    this.#back ??= this.#untilBack().finally(() => {
      this.#back = undefined
    })
    return this.#back
  }

  /** Takes one turn of the event loop at most: a client that is connected says so at once. */
  #look(): Promise<boolean> {
    return new Promise((resolve) => {
      const turn = setImmediate(() => {
        this.#lose(undefined)
        resolve(false)
      })
      this.#ask().then(
        () => {
          clearImmediate(turn)
          this.#wasReady = true
          if (this.#lostAt !== undefined) this.#regain()
          resolve(true)
        },
        (error) => {
          clearImmediate(turn)
          this.#lose(error as StoreError)
          resolve(false)
        },
      )
    })
  }

  #lose(reason: StoreError | undefined): void {
    this.#reason = reason ?? this.#reason
    void this.back()
  }

  #regain(): void {
    this.#lostAt = undefined
    this.#reason = undefined
    this.#onBack()
  }

  async #untilBack(): Promise<void> {
    while (this.#lostAt !== undefined && !this.#isStopped) {
      try {
        await this.#ask()
        this.#wasReady = true
        if (this.#lostAt !== undefined) this.#regain()
      } catch (error) {
        this.#reason = error as StoreError
        const isClosed = this.#reason.refused !== undefined
        await delay(isClosed ? LOOK_WHEN_CLOSED_MS : LOOK_EVERY_MS, undefined, { ref: false })
      }
    }
  }

  /** Rejects with a StoreError, also where `ready` of the store throws something else. */
  async #ask(): Promise<void> {
    try {
      await this.#askStore()
    } catch (error) {
      throw asReason(error)
    }
  }
}

function asReason(error: unknown): StoreError {
  return isIdemError(error) && error.code === 'IDEM_STORE_ERROR' ? (error as StoreError) : notReady(error)
}

function notReady(cause?: unknown): StoreError {
  return new StoreError('The store is not connected.', { effect: 'none', cause })
}
