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
  readonly #askStore: () => Promise<void> | undefined
  readonly #patienceMs: number
  readonly #onBack: () => void
  #wasReady: boolean
  #lostAt: number | undefined
  #reason: StoreError | undefined
  #back: Promise<void> | undefined
  #isStopped = false

  /**
   * `ask` resolves when commands can be sent; undefined: now. `onBack` is called when a connection that was lost is there again.
   * `wasReady`: whether the store was ever connected, as far as is known.
   */
  constructor(
    ask: () => Promise<void> | undefined,
    patienceMs: number,
    onBack: () => void,
    wasReady = false,
  ) {
    this.#askStore = ask
    this.#wasReady = wasReady
    this.#patienceMs = patienceMs
    this.#onBack = onBack
  }

  /**
   * Undefined where commands can be sent now. Else resolves when they can be; rejects where waiting cannot help, and
   * after `ms`.
   */
  ready(ms: number): Promise<void> | undefined {
    const looked = this.#look()
    return looked === true ? undefined : this.#readyAfter(looked, ms)
  }

  async #readyAfter(looked: Promise<boolean>, ms: number): Promise<void> {
    if (await looked) return
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

  /** True where the store says so at once. Else one turn of the event loop: a client that is connected needs no more. */
  #look(): true | Promise<boolean> {
    let asked: Promise<void> | undefined
    try {
      asked = this.#askStore()
    } catch (error) {
      asked = Promise.reject(error)
    }
    if (asked === undefined) {
      this.#isFound()
      return true
    }
    return new Promise((resolve) => {
      const turn = setImmediate(() => {
        this.#lose(undefined)
        resolve(false)
      })
      Promise.resolve(asked).then(
        () => {
          clearImmediate(turn)
          this.#isFound()
          resolve(true)
        },
        (error) => {
          clearImmediate(turn)
          this.#lose(asReason(error))
          resolve(false)
        },
      )
    })
  }

  #isFound(): void {
    this.#wasReady = true
    if (this.#lostAt === undefined) return
    this.#lostAt = undefined
    this.#reason = undefined
    this.#onBack()
  }

  #lose(reason: StoreError | undefined): void {
    this.#reason = reason ?? this.#reason
    void this.back()
  }

  async #untilBack(): Promise<void> {
    while (this.#lostAt !== undefined && !this.#isStopped) {
      try {
        await this.#ask()
        this.#isFound()
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
