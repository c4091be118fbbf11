import type { Call, Engine, Live } from './engine.js'
import { StreamInterruptedError } from './errors/stream-interrupted-error.js'
import { isStoreError } from './guard.js'
import { LiveLog } from './live-log.js'
import { type Answer, type AnswerHead, unsealHead } from './record.js'
import type { Hint } from './store.js'

/**
 * A running answer of another process, followed through the store: the backlog at once, then what comes. One owner's
 * bytes are never continued with another's. Hints bring the bytes; where one is lost the next look finds them.
 */
export class Follow {
  readonly #call: Call<unknown>
  readonly #engine: Engine
  readonly #begin: (live: Live) => void
  #owner: string | undefined
  /** How much of the store's log is here, its head included. */
  #received = 0
  #cut: Uint8Array = new Uint8Array()
  #log: LiveLog | undefined
  #isUnknown = false
  #reading: Promise<void> | undefined
  #isBehind = false

  /** `begin` is given each log that is followed, when its head is known. */
  constructor(call: Call<unknown>, engine: Engine, begin: (live: Live) => void) {
    this.#call = call
    this.#engine = engine
    this.#begin = begin
  }

  /** Whether there is some of the answer of the owner that is followed. */
  get isUnderWay(): boolean {
    return this.#log !== undefined
  }

  /** Follows this owner from now on, and looks for what is there of its answer. */
  async look(owner: string): Promise<void> {
    if (owner !== this.#owner) {
      this.interrupt()
      this.#owner = owner
    }
    await this.#read()
  }

  readonly hear = (hint: Hint): void => {
    if (hint.type !== 'live' || hint.owner !== this.#owner || this.#isUnknown) return
    const { offset, bytes } = hint
    if (bytes && offset <= this.#received) this.#take(bytes.subarray(this.#received - offset))
    else void this.#read()
  }

  /** The whole answer of this owner is known: what was given of it is completed. */
  finish(owner: string, { body }: Answer): void {
    if (owner === this.#owner) this.#log?.finish(body)
    this.interrupt()
  }

  /** There will be no more of what was followed. */
  interrupt(): void {
    // Why, the other process knows: it ended, or the provider's connection broke.
    this.#log?.fail(
      new StreamInterruptedError('The process that received this answer did not get to its end.'),
    )
    this.#owner = undefined
    this.#received = 0
    this.#cut = new Uint8Array()
    this.#log = undefined
    this.#isUnknown = false
  }

  /** One at a time, and once more where something was heard meanwhile. Never rejects. */
  #read(): Promise<void> {
    this.#isBehind = true
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readAll(): Promise<void> {
    while (this.#isBehind) {
      this.#isBehind = false
      await this.#tail()
    }
  }

  async #tail(): Promise<void> {
    const [owner, from] = [this.#owner, this.#received]
    if (owner === undefined || this.#isUnknown) return
    try {
      const bytes = await this.#engine.store.tail!(this.#call.id, owner, from)
      // Meanwhile another owner may be followed, and hints may have brought some of this.
      if (bytes && owner === this.#owner) this.#take(bytes.subarray(this.#received - from))
    } catch (error) {
      if (!isStoreError(error)) throw error
    }
  }

  /** The next bytes of the store's log. */
  #take(bytes: Uint8Array): void {
    this.#received += bytes.byteLength
    if (this.#log) {
      this.#log.append(bytes)
      return
    }
    this.#cut = Buffer.concat([this.#cut, bytes])
    const unsealed = unsealHead(this.#cut)
    if (unsealed === 'cut') return
    this.#isUnknown = !unsealed || !this.#canRead(unsealed.head)
    if (!unsealed || this.#isUnknown) return
    this.#log = new LiveLog(unsealed.head)
    this.#log.append(unsealed.rest)
    this.#cut = new Uint8Array()
    this.#begin({ log: this.#log, outcome: 'collapsed' })
  }

  #canRead(head: AnswerHead): boolean {
    try {
      this.#call.codec.decode({ ...head, body: new Uint8Array() })
      return true
    } catch {
      return false
    }
  }
}
