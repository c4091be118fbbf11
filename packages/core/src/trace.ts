import type { Call, Engine } from './engine.js'
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
   * To be left under the lock, before the work. Rejects with what the store fails with.
   * @throws UncertainError where another execution left one
   */
  async leave(): Promise<void> {
    const { store } = this.#engine
    const { id, ttlMs, maxExecutionMs } = this.#call
    const found = await store.ending(id, BEGUN)
    const owner = Buffer.from(this.#claim.owner)
    if (found && found.byteLength > 0 && Buffer.compare(found, owner) !== 0) throw new UncertainError()
    await store.end(id, BEGUN, owner, maxExecutionMs + ttlMs)
  }

  /** The work, which takes the trace away when it fails: it has ended then, and may be done again. */
  readonly work: Call<T>['work'] = async (signal, begin) => {
    try {
      return await this.#call.work(signal, begin)
    } catch (error) {
      await clearTrace(this.#engine, this.#call.id).catch(() => {})
      throw error
    }
  }
}

/** After this the execution may be made again. */
export async function clearTrace({ store }: Pick<Engine, 'store'>, id: string): Promise<void> {
  await store.end(id, BEGUN, new Uint8Array(), 1)
}
