import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Background } from './background.js'
import { isStoreError } from './guard.js'
import { type Ending, sealEnding } from './record.js'
import type { Claim, Completed, Renewed, Store } from './store.js'

/** How long an ending can be found: long enough for every waiter's next look. */
const ENDING_MS = 15_000
/** How long a commit that failed is tried again. The answer's bytes stay in memory as long, so not for ever. */
const COMMIT_RETRY_MS = 60_000

/** An unguessable id of one execution: 128 random bits. */
export function newOwner(): string {
  return randomBytes(16).toString('base64url')
}

/**
 * The right to make the call, as its owner holds it: renewed every third of the lease until it is settled or given
 * up. Store errors never reach the work: a renewal that failed is tried again at the next third, when it may answer
 * `retaken`.
 */
export class Lock {
  readonly #store: Store
  readonly #key: string
  readonly #claim: Claim
  readonly #leaseMs: number
  readonly #onRenewed: (answer: Renewed) => void
  readonly #timer: NodeJS.Timeout
  #renewing = false
  #settled = false

  /** Starts to renew. `onRenewed` hears every answer until the lock is settled. */
  constructor(
    store: Store,
    key: string,
    claim: Claim,
    leaseMs: number,
    onRenewed: (answer: Renewed) => void,
  ) {
    this.#store = store
    this.#key = key
    this.#claim = claim
    this.#leaseMs = leaseMs
    this.#onRenewed = onRenewed
    this.#timer = setInterval(() => void this.#renew(), leaseMs / 3)
    // Renewal alone keeps no process alive: where nothing else runs, there is no work to hold a lock for.
    this.#timer.unref()
  }

  /**
   * Writes the record. `pending` when the store cannot be reached: it is tried again in the background, and the
   * answer need not wait for that.
   */
  async complete(
    bytes: Uint8Array,
    ttlMs: number,
    background: Background,
  ): Promise<Completed | { readonly state: 'pending' }> {
    this.stop()
    const commit = () => this.#store.complete(this.#key, this.#claim, bytes, ttlMs)
    try {
      return await commit()
    } catch (error) {
      if (!isStoreError(error)) throw error
      background.add(this.#retry(commit, background.closing))
      return { state: 'pending' }
    }
  }

  /** Leaves the ending, if there is one to leave, and gives the lock up. Where that fails, the lease lapses instead. */
  async giveUp(ending?: Ending): Promise<void> {
    this.stop()
    try {
      if (ending) await this.#store.end(this.#key, this.#claim.owner, sealEnding(ending), ENDING_MS)
    } catch (error) {
      if (!isStoreError(error)) throw error
    }
    try {
      await this.#store.release(this.#key, this.#claim.owner)
    } catch (error) {
      if (!isStoreError(error)) throw error
    }
  }

  /** Stops renewing; the lock itself is left as it is. */
  stop(): void {
    this.#settled = true
    clearInterval(this.#timer)
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return
    this.#renewing = true
    try {
      const answer = await this.#store.renew(this.#key, this.#claim, this.#leaseMs)
      if (!this.#settled) this.#onRenewed(answer)
    } catch (error) {
      if (!isStoreError(error)) throw error
    } finally {
      this.#renewing = false
    }
  }

  async #retry(commit: () => Promise<unknown>, closing: AbortSignal): Promise<void> {
    const until = performance.now() + COMMIT_RETRY_MS
    do {
      // When idem closes, one last try at once.
      await delay(this.#leaseMs / 3, undefined, { signal: closing, ref: false }).catch(() => {})
      try {
        await commit()
        return
      } catch (error) {
        if (!isStoreError(error)) throw error
      }
    } while (!closing.aborted && performance.now() < until)
  }
}
