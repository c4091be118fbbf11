import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from './engine.js'
import { isStoreError } from './guard.js'
import { type Ending, sealEnding } from './record.js'
import type { Claim, Completed, Renewed } from './store.js'

/** How long an ending can be found at least; with a longer poll, two of its intervals. */
const ENDING_MS = 15_000
/** How long a command that settles the lock is tried again. An answer's bytes stay in memory as long. */
const RETRY_MS = 60_000

/** The lock an execution is made under. */
export interface ClaimedLock {
  readonly claim: Claim
  /** Whether the store said that it is ours. If not, it could not be reached: the first renewal may tell. */
  readonly held: boolean
}

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
  readonly #engine: Engine
  readonly #key: string
  readonly #claim: Claim
  readonly #onRenewed: (answer: Renewed) => Promise<void>
  readonly #timer: NodeJS.Timeout
  #renewing = false
  #stopped = false
  /** Whether the store has said that it is ours: else nobody can be waiting for us. */
  #held: boolean

  /** Starts to renew. `onRenewed` hears every answer until the lock is settled. */
  constructor(
    engine: Engine,
    key: string,
    { claim, held }: ClaimedLock,
    onRenewed: (answer: Renewed) => Promise<void>,
  ) {
    this.#engine = engine
    this.#key = key
    this.#claim = claim
    this.#held = held
    this.#onRenewed = onRenewed
    this.#timer = setInterval(() => void this.#renew(), engine.leaseMs / 3)
    // Renewal alone keeps no process alive: where nothing else runs, there is no work to hold a lock for.
    this.#timer.unref()
  }

  /**
   * Writes the record. `pending` when the store cannot be reached: it is tried again in the background, and the
   * answer need not wait for that.
   */
  async complete(bytes: Uint8Array, ttlMs: number): Promise<Completed | { readonly state: 'pending' }> {
    this.stop()
    const { store, background } = this.#engine
    const commit = () => store.complete(this.#key, this.#claim, bytes, ttlMs)
    try {
      if (this.#held) return await commit()
      // The store was away, and is probably still.
      background.add(commit().catch(() => this.#retry(commit)))
    } catch (error) {
      if (!isStoreError(error)) throw error
      background.add(this.#retry(commit))
    }
    return { state: 'pending' }
  }

  /** Writes the record over the one that stands under another key; where that fails the old one stands on. */
  async replace(key: string, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    try {
      return this.#held && (await this.#engine.store.replace(key, this.#claim, bytes, ttlMs))
    } catch (error) {
      if (isStoreError(error)) return false
      throw error
    }
  }

  /**
   * Leaves the ending, if there is one to leave and anybody can be waiting for it, and gives the lock up. Where that
   * fails it is tried again in the background; at the latest the lease lapses.
   * @returns false if the lock was not ours any more
   */
  async giveUp(ending?: Ending): Promise<boolean> {
    this.stop()
    const { store, background, pollMaxMs } = this.#engine
    const { owner } = this.#claim
    const release = () => store.release(this.#key, owner)
    try {
      const ms = Math.max(ENDING_MS, 2 * pollMaxMs)
      if (ending && this.#held) await store.end(this.#key, owner, sealEnding(ending), ms)
    } catch (error) {
      if (!isStoreError(error)) throw error
    }
    try {
      return await release()
    } catch (error) {
      if (!isStoreError(error)) throw error
      // A client may send the acquire it was given up on once it is connected again; the release goes after it.
      background.add(this.#retry(release))
      return true
    }
  }

  /** Stops renewing; the lock itself is left as it is. */
  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
  }

  /** Never rejects: it runs on a timer, where a rejection would end the process. */
  async #renew(): Promise<void> {
    if (this.#renewing) return
    this.#renewing = true
    try {
      const answer = await this.#engine.store.renew(this.#key, this.#claim, this.#engine.leaseMs)
      this.#held ||= answer === 'held' || answer === 'retaken'
      if (!this.#stopped) await this.#onRenewed(answer)
    } catch {
      // The next third tries again.
    } finally {
      this.#renewing = false
    }
  }

  async #retry(command: () => Promise<unknown>): Promise<void> {
    const { closing } = this.#engine.background
    const until = performance.now() + RETRY_MS
    do {
      // When idem closes, one last try at once.
      await delay(this.#engine.leaseMs / 3, undefined, { signal: closing, ref: false }).catch(() => {})
      try {
        await command()
        return
      } catch (error) {
        if (!isStoreError(error)) throw error
      }
    } while (!closing.aborted && performance.now() < until)
  }
}
