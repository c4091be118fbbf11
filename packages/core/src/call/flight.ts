import type { LiveLog } from '../answer/live-log.js'
import { abortable } from '../util/abortable.js'
import { type Pulse, pulse } from '../util/pulse.js'
import type { Callers } from './callers.js'
import type { Live, Settled } from './engine.js'
import { type Leaving, Presence } from './presence.js'

/** One caller's place in a flight. It is kept until `leave`. */
export class Seat<T> {
  readonly #flight: Flight<T>
  readonly #signal: AbortSignal | undefined
  /** Whether the flight was under way when this caller came. */
  readonly hasJoined: boolean
  #hasLeft = false
  #hasGone = false
  readonly #onLeave: () => void

  constructor(flight: Flight<T>, hasJoined: boolean, signal: AbortSignal | undefined, onLeave: () => void) {
    this.#flight = flight
    this.#signal = signal
    this.#onLeave = onLeave
    this.hasJoined = hasJoined
    flight.presence.enter()
  }

  /** Whether another caller makes the call, here or in another process, as far as is known by now. */
  get isDuplicate(): boolean {
    return this.hasJoined || this.#flight.isWaiting
  }

  /** How the flight ended, whether or not this caller is still there. */
  get ended(): Promise<Settled<T>> {
    return this.#flight.settled.then((settled) => this.#seen(settled))
  }

  /** Whether this caller left before the end. */
  get hasGone(): boolean {
    return this.#hasGone
  }

  /** The whole answer; its value is shared with all callers. Rejects with the signal's reason when it is aborted. */
  async settled(): Promise<Settled<T>> {
    return this.#seen(await abortable(this.#flight.settled, this.#signal))
  }

  /** The answer as it comes: the next log after `after`, or the whole answer if it does not come in pieces. */
  async next(after?: LiveLog): Promise<Live | Settled<T>> {
    const live = await abortable(this.#flight.live(after), this.#signal)
    if (!live) return this.settled()
    return this.hasJoined ? { ...live, outcome: 'collapsed' } : live
  }

  /** Gives up the seat. `why`: the caller leaves before the end. */
  leave(why?: Leaving): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.#hasGone = why !== undefined
    this.#flight.leave(why)
    this.#onLeave()
  }

  #seen(settled: Settled<T>): Settled<T> {
    if (!this.hasJoined) return settled
    return {
      ...settled,
      outcome: settled.outcome === 'executed' ? 'collapsed' : settled.outcome,
      isPaid: false,
    }
  }
}

/** The reason of a flight that ended because no caller was left. */
const ABANDONED = new Error('Nobody waits any more.')

/**
 * One trip through the loop, and its callers. A caller that leaves does not take the others with it. When the last one
 * leaves, a wait for another owner's call ends; whether a call that has begun goes on is decided by its execution.
 */
export class Flight<T> implements Callers {
  settled!: Promise<Settled<T>>
  readonly presence = new Presence()
  /** Whether the flight waits for another owner's call. */
  isWaiting = false
  readonly #onEnd: () => void
  #waiting: AbortController | undefined
  #live: Live | undefined
  #isOver = false
  /** Made by the first caller that waits for it. */
  #changed: Pulse | undefined

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  depart(run: (callers: Callers) => Promise<Settled<T>>): void {
    this.settled = this.#fly(run)
  }

  async #fly(run: (callers: Callers) => Promise<Settled<T>>): Promise<Settled<T>> {
    try {
      return await run(this)
    } finally {
      this.#isOver = true
      this.shut()
      this.#changed?.resolve()
    }
  }

  /** Another log of the answer than `after`; undefined when there will be none. */
  async live(after: LiveLog | undefined): Promise<Live | undefined> {
    for (;;) {
      if (this.#isOver) return undefined
      const live = this.#live
      if (live && live.log !== after && live.log.state.is !== 'failed') return live
      this.#changed ??= pulse()
      await this.#changed.promise
    }
  }

  leave(why: Leaving | undefined): void {
    this.presence.leave(why)
    if (!this.presence.any) this.#waiting?.abort(ABANDONED)
  }

  readonly begin = (live: Live): void => {
    this.#live = live
    this.#changed?.resolve()
    this.#changed = undefined
  }

  shut(): void {
    this.#onEnd()
  }

  assertAny(): void {
    this.isWaiting = false
    if (this.presence.any) return
    this.shut()
    throw ABANDONED
  }

  async wait(next: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.assertAny()
    this.isWaiting = true
    this.#waiting = new AbortController()
    // From now on new callers start another flight.
    this.#waiting.signal.addEventListener('abort', () => this.shut())
    try {
      await next(this.#waiting.signal)
    } finally {
      this.#waiting = undefined
    }
  }
}
