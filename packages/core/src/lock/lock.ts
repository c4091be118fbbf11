import { type Ending, sealEnding } from '../answer/record.js'
import { RETRY_MS } from '../call/commits.js'
import type { Call, Engine } from '../call/engine.js'
import { nextTry } from '../call/next-try.js'
import { isStoreError, type StoreError } from '../errors/store-errors.js'
import type { Claim, Completed, Renewed } from '../store/store.js'

/** How long an ending can be found at least; with a longer poll, two of its intervals. */
const ENDING_MS = 15_000

/** The lock an execution is made under. */
export interface ClaimedLock {
  readonly claim: Claim
  /** Whether the store said that it is ours. If not, it could not be reached: the first renewal may tell. */
  readonly held: boolean
}

/** Gives up a lock that no execution has begun under. If that fails, the lease lapses. */
export async function release<T>(call: Call<T>, { store }: Engine, { owner }: Claim): Promise<void> {
  await store.release(call.id, owner).catch(() => {})
}

/** What an execution is told about its lock. */
export interface LockListener {
  /** Every answer to a renewal, until the key is settled. */
  renewed(answer: Renewed): Promise<void>
  /** The store refuses to renew it. */
  refused(error: StoreError): Promise<void>
  /** Once: another owner has it, or it could not be renewed for a whole lease. */
  lost(): void
}

/** Why the record was not written: the store could not be reached, or refused. */
export interface Failed {
  readonly state: 'failed'
  /** Absent where the store was away before, and was not waited for. */
  readonly error?: StoreError
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
  readonly #listener: LockListener
  #timer: NodeJS.Timeout
  #renewal: Promise<Renewed> | undefined
  #stopped = false
  #isKept = false
  /** Whether the store has said that it is ours. If not, no waiter can know of us. */
  #held: boolean
  #heldAt = performance.now()
  #isLost = false

  /** Starts to renew. `listener` hears of it until the lock is settled. */
  constructor(engine: Engine, key: string, { claim, held }: ClaimedLock, listener: LockListener) {
    this.#engine = engine
    this.#key = key
    this.#claim = claim
    this.#held = held
    this.#listener = listener
    this.#timer = this.#startRenewing()
  }

  /** Whether others may be waiting for it. */
  get isHeld(): boolean {
    return this.#held
  }

  /** Writes the record. After this the lock is not renewed any more: see `keep`. */
  async complete(bytes: Uint8Array, ttlMs: number): Promise<Completed | Failed> {
    this.stop()
    // The store was away and probably still is: the answer need not wait for it.
    if (!this.#held) return { state: 'failed' }
    try {
      return await this.#engine.store.complete(this.#key, this.#claim, bytes, ttlMs)
    } catch (error) {
      if (!isStoreError(error)) throw error
      return { state: 'failed', error }
    }
  }

  /** Writes the record over the one under another key. If that fails, the old one stays. */
  async replace(key: string, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    try {
      if (!this.#held) return false
      const { state } = await this.#engine.store.complete(key, this.#claim, bytes, ttlMs, { over: true })
      return state === 'stored'
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
    this.#isKept = false
    this.stop()
    const { store, background, pollMaxMs } = this.#engine
    const { owner } = this.#claim
    const release = () => store.release(this.#key, owner)
    try {
      const ms = Math.max(ENDING_MS, 2 * pollMaxMs)
      if (ending && this.#held) await store.leaveNote(this.#key, owner, sealEnding(ending), ms)
    } catch (error) {
      if (!isStoreError(error)) throw error
    }
    // A renewal that arrives after the release takes the lock back, and no execution holds it.
    await this.#renewal?.catch(() => {})
    try {
      return await release()
    } catch (error) {
      if (!isStoreError(error)) throw error
      // A client may send the acquire it was given up on once it is connected again; the release goes after it.
      background.add(this.#retry(release))
      return true
    }
  }

  /** Renews the lock again, without a listener, until the returned function is called or the lock is given up. */
  keep(): () => void {
    this.#isKept = true
    clearInterval(this.#timer)
    this.#timer = this.#startRenewing()
    return () => {
      this.#isKept = false
      this.stop()
    }
  }

  /** Stops renewing, unless it is kept. The lock itself stays as it is. */
  stop(): void {
    if (this.#isKept) return
    this.#stopped = true
    clearInterval(this.#timer)
  }

  #startRenewing(): NodeJS.Timeout {
    // Renewal alone keeps no process alive: where nothing else runs, there is no work to hold a lock for.
    return setInterval(() => void this.#renew(), this.#engine.leaseMs / 3).unref()
  }

  /** Never rejects: it runs on a timer, where a rejection would end the process. */
  async #renew(): Promise<void> {
    if (this.#renewal) return
    const sentAt = performance.now()
    try {
      this.#renewal = this.#engine.store.renew(this.#key, this.#claim, this.#engine.leaseMs)
      const answer = await this.#renewal
      if (answer === 'held' || answer === 'retaken') {
        this.#held = true
        this.#heldAt = sentAt
      }
      if (answer === 'lost') this.#lose()
      if (!this.#stopped) await this.#listener.renewed(answer)
    } catch (error) {
      // The next third tries again.
      if (performance.now() - this.#heldAt > this.#engine.leaseMs) this.#lose()
      if (isStoreError(error) && error.refused !== undefined && !this.#stopped) {
        await this.#listener.refused(error).catch(() => {})
      }
    } finally {
      this.#renewal = undefined
    }
  }

  #lose(): void {
    if (this.#isLost || this.#stopped || !this.#held) return
    this.#isLost = true
    this.#listener.lost()
  }

  async #retry(command: () => Promise<unknown>): Promise<void> {
    const { background, leaseMs, store } = this.#engine
    const { closing } = background
    const until = performance.now() + RETRY_MS
    do {
      // As soon as the store is back; when idem closes, one last try at once.
      await nextTry(store, this.#key, leaseMs / 3, closing)
      try {
        await command()
        return
      } catch (error) {
        if (!isStoreError(error)) throw error
      }
    } while (!closing.aborted && performance.now() < until)
  }
}
