import { type Call, type Engine, keyOf } from './engine.js'
import { UncertainError } from './errors/uncertain-error.js'
import type { Claim } from './store.js'

/** A name that no owner has: owners are 22 characters long. */
const BEGUN = 'begun'

/**
 * Says that an execution has begun, for those who come when its process is lost and its lock has lapsed: they are told
 * that it is not known how it ended, and do not begin it again. A record, once there is one, says more than this.
 */
export class Trace<T> {
  readonly #call: Call<T>
  readonly #engine: Engine
  readonly #claim: Claim

  constructor(call: Call<T>, engine: Engine, claim: Claim) {
    this.#call = call
    this.#engine = engine
    this.#claim = claim
  }

  /**
   * To be left under the lock, before the work. Rejects with what the store fails with, and is then taken away again as
   * far as the store can be reached.
   * @throws UncertainError where another execution left one
   */
  async leave(): Promise<void> {
    const { store, background } = this.#engine
    const { ttlMs, maxExecutionMs } = this.#call
    const found = await store.ending(this.#key, BEGUN)
    if (found && found.byteLength > 0 && !this.#isOwn(found)) throw new UncertainError()
    try {
      await store.end(this.#key, BEGUN, Buffer.from(this.#claim.owner), maxExecutionMs + ttlMs)
    } catch (error) {
      // It may be there all the same.
      background.add(this.clear())
      throw error
    }
  }

  /** The work, which takes the trace away when it fails: it has ended then, and may be done again. */
  readonly work: Call<T>['work'] = async (signal, begin) => {
    try {
      return await this.#call.work(signal, begin)
    } catch (error) {
      await this.clear().catch(() => {})
      throw error
    }
  }

  /** The end is known. The trace of a successor is left. */
  async clear(): Promise<void> {
    const found = await this.#engine.store.ending(this.#key, BEGUN)
    if (found && this.#isOwn(found)) await clearTrace(this.#engine, this.#key)
  }

  get #key(): string {
    return keyOf(this.#call)
  }

  #isOwn(found: Uint8Array): boolean {
    return Buffer.compare(found, Buffer.from(this.#claim.owner)) === 0
  }
}

/** After this the execution may be made again. */
export async function clearTrace({ store }: Pick<Engine, 'store'>, key: string): Promise<void> {
  await store.end(key, BEGUN, new Uint8Array(), 1)
}
