import type { AbandonedCall } from '../call/abandoned-calls.js'
import type { Call, Engine } from '../call/engine.js'
import type { Presence } from '../call/presence.js'
import { isAwaited } from '../wait/waiter-mark.js'

/**
 * Watches over one execution that may be left by everybody. After a timeout it goes on, since a retry will ask for its
 * answer. Left on purpose it is cancelled after a grace, because finishing is billed; a waiter in another process keeps
 * it, by the mark it leaves. Over the limits it is cancelled at once.
 */
export class AbandonWatch implements AbandonedCall {
  readonly #engine: Engine
  readonly #call: Pick<Call<unknown>, 'id' | 'ifAbandoned'>
  readonly #presence: Presence
  readonly #owner: string | undefined
  readonly #heldBytes: () => number
  readonly #cancel: () => void
  #grace: NodeJS.Timeout | undefined
  #isOver = false

  constructor(
    engine: Engine,
    call: Pick<Call<unknown>, 'id' | 'ifAbandoned'>,
    presence: Presence,
    { owner, heldBytes, cancel }: { owner: string | undefined; heldBytes: () => number; cancel: () => void },
  ) {
    this.#engine = engine
    this.#call = call
    this.#presence = presence
    this.#owner = owner
    this.#heldBytes = heldBytes
    this.#cancel = cancel
    presence.onChange = () => this.#changed()
    this.#changed()
  }

  get bytes(): number {
    return this.#heldBytes()
  }

  /** Call it when bytes have come. */
  grew(): void {
    if (!this.#presence.any && this.#engine.abandoned.areTooMany) this.#giveUp()
  }

  /** Call it when the work is done or has failed. */
  stop(): void {
    this.#isOver = true
    this.#presence.onChange = undefined
    this.#engine.abandoned.delete(this)
    this.#endGrace()
  }

  #changed(): void {
    this.#endGrace()
    const { abandoned } = this.#engine
    if (this.#presence.any) {
      abandoned.delete(this)
      return
    }
    abandoned.add(this)
    if (abandoned.areTooMany) this.#giveUp()
    else if (this.#call.ifAbandoned === 'cancel' && !this.#presence.retryExpected) this.#giveGrace()
  }

  #giveUp(): void {
    if (this.#isOver) return
    this.stop()
    this.#cancel()
  }

  #giveGrace(): void {
    const grace = setTimeout(async () => {
      const keeps = this.#owner !== undefined && (await isAwaited(this.#engine, this.#call.id, this.#owner))
      // Somebody may have come and left again meanwhile.
      if (this.#grace !== grace) return
      if (keeps) this.#giveGrace()
      else this.#giveUp()
    }, this.#engine.abandonGraceMs)
    this.#grace = grace
  }

  #endGrace(): void {
    clearTimeout(this.#grace)
    this.#grace = undefined
  }
}
