import { type Call, type Engine, keyOf } from '../call/engine.js'
import { UncertainError } from '../errors/execution-errors.js'
import type { Claim } from '../store/store.js'

/** The name of the mark. No owner can have it: their names are 22 characters long. */
export const BEGUN = 'begun'

/**
 * Says that an execution has begun, for those who come when its process is gone and its lock has lapsed. They are told
 * that nobody knows how it ended, and do not start it again. A record, once there is one, says more than the mark.
 */
export class BegunMark<T> {
  readonly #call: Call<T>
  readonly #engine: Engine
  readonly #claim: Claim

  constructor(call: Call<T>, engine: Engine, claim: Claim) {
    this.#call = call
    this.#engine = engine
    this.#claim = claim
  }

  /**
   * Call it under the lock, before the work begins.
   * @throws UncertainError where another execution left a mark
   */
  async leave(): Promise<void> {
    const { store, background } = this.#engine
    const { ttlMs, maxExecutionMs } = this.#call
    const found = await store.readNote(this.#key, BEGUN)
    if (found && found.byteLength > 0 && !this.#isOwn(found)) throw new UncertainError()
    try {
      await store.leaveNote(this.#key, BEGUN, Buffer.from(this.#claim.owner), maxExecutionMs + ttlMs)
    } catch (error) {
      // The store may have written it anyway.
      background.add(this.clear())
      throw error
    }
  }

  /** Runs the work. If it fails, it has ended and may be done again: the mark is taken away. */
  readonly work: Call<T>['work'] = async (signal, begin) => {
    try {
      return await this.#call.work(signal, begin)
    } catch (error) {
      await this.clear().catch(() => {})
      throw error
    }
  }

  /** The end is known. The mark of a successor stays. */
  async clear(): Promise<void> {
    const found = await this.#engine.store.readNote(this.#key, BEGUN)
    if (found && this.#isOwn(found)) await clearMark(this.#engine, this.#key)
  }

  get #key(): string {
    return keyOf(this.#call)
  }

  #isOwn(found: Uint8Array): boolean {
    return Buffer.compare(found, Buffer.from(this.#claim.owner)) === 0
  }
}

/** Takes the mark away: the execution may be made again. */
export async function clearMark({ store }: Pick<Engine, 'store'>, key: string): Promise<void> {
  await store.leaveNote(key, BEGUN, new Uint8Array(), 1)
}
