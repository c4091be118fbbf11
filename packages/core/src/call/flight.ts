import { AsyncLocalStorage } from 'node:async_hooks'
import { abortable } from './abortable.js'
import type { Callers } from './callers.js'
import { type Call, type Engine, keyOf, type Live, type Settled } from './engine.js'
import { InvalidArgumentError } from './errors/invalid-argument-error.js'
import { UncertainError } from './errors/uncertain-error.js'
import { execute } from './execute.js'
import type { LiveLog } from './live-log.js'
import { type Leaving, Presence } from './presence.js'
import { pulse } from './pulse.js'
import { run } from './run.js'

/** The keys whose work is being run, from here outwards: a call below its own work would wait for itself. */
const inside = new AsyncLocalStorage<ReadonlySet<string>>()

/**
 * One flight a request in this process: a thousand local duplicates cost the store what one costs, and collapse even
 * when there is no store to ask. Another fingerprint under the same key is another flight: the store tells them apart.
 */
export class Flights {
  readonly #engine: Engine
  readonly #flights = new Map<string, Flight<unknown>>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /**
   * The one execution of this request, as this caller sees it.
   * @param signal ends this caller's wait with the signal's reason, and nothing else
   */
  async share<T>(call: Call<T>, signal?: AbortSignal): Promise<Settled<T>> {
    const seat = this.board(call, signal)
    try {
      const settled = await seat.settled()
      return seat.hasJoined ? await this.#copyFor(call, settled) : settled
    } finally {
      seat.leave()
    }
  }

  /** A place in the flight of this request, for a caller that takes the answer as it comes. */
  board<T>(call: Call<T>, signal?: AbortSignal): Seat<T> {
    signal?.throwIfAborted()
    if (inside.getStore()?.has(keyOf(call))) {
      throw new InvalidArgumentError(
        'This call is made by the work of the same key: it would wait for itself.',
      )
    }
    // By ttl, too: a record that is old for one caller is good for another.
    const name = `${call.id} ${call.fingerprint} ${call.ttlMs}`
    const running = this.#flights.get(name) as Flight<T> | undefined
    const flight = running ?? this.#start(name, call)
    return new Seat(flight, running !== undefined, signal)
  }

  /** Who comes from now on takes no running flight of this key: what it brings is not to be had any more. */
  forget(id: string): void {
    for (const [name, flight] of this.#flights) if (name.startsWith(`${id} `)) flight.shut()
  }

  #start<T>(name: string, call: Call<T>): Flight<T> {
    const ids = new Set(inside.getStore()).add(keyOf(call))
    const work: Call<T>['work'] = (signal, begin) => inside.run(ids, () => call.work(signal, begin))
    const flight = new Flight<T>(() => {
      if (this.#flights.get(name) === flight) this.#flights.delete(name)
    })
    this.#flights.set(name, flight as Flight<unknown>)
    flight.depart((callers) => run({ ...call, work }, this.#engine, callers))
    this.#engine.background.add(flight.settled)
    return flight
  }

  /** A copy of its own for a caller that joined. Where no faithful one exists, it makes its own call. */
  async #copyFor<T>(call: Call<T>, settled: Settled<T>): Promise<Settled<T>> {
    if (settled.answer) return { ...settled, value: call.codec.decode(settled.answer) }
    const copied = call.codec.copy?.(settled.value)
    if (copied) return { ...settled, value: copied.value }
    if (call.onLostOwner === 'error') throw new UncertainError()
    const own = execute(call, this.#engine)
    this.#engine.background.add(own)
    return own
  }
}

/** One caller's place in a flight. It is kept until `leave`. */
export class Seat<T> {
  readonly #flight: Flight<T>
  readonly #signal: AbortSignal | undefined
  /** Whether the flight was under way when this caller came. */
  readonly hasJoined: boolean
  #hasLeft = false
  #hasGone = false

  constructor(flight: Flight<T>, hasJoined: boolean, signal: AbortSignal | undefined) {
    this.#flight = flight
    this.#signal = signal
    this.hasJoined = hasJoined
    flight.presence.enter()
  }

  /** Whether the call is somebody else's, here or in another process, as far as is known by now. */
  get isDuplicate(): boolean {
    return this.hasJoined || this.#flight.isWaiting
  }

  /** What became of the flight, whether this caller is still there or not. */
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

  /** The answer as it comes, as soon as there is another log of it than `after`; or the whole where there is none. */
  async next(after?: LiveLog): Promise<Live | Settled<T>> {
    const live = await abortable(this.#flight.live(after), this.#signal)
    if (!live) return this.settled()
    return this.hasJoined ? { ...live, outcome: 'collapsed' } : live
  }

  /** `why` where this is before the end. */
  leave(why?: Leaving): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.#hasGone = why !== undefined
    this.#flight.leave(why)
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

/** Reason of a flight that ended because nobody was left; nobody is there to see it. */
const ABANDONED = new Error('Nobody waits any more.')

/**
 * One trip through the loop, and those who wait for it. A caller that leaves takes nobody with it. When the last one
 * leaves, a wait for somebody else's call ends; a call that has begun is the execution's to end or not.
 */
class Flight<T> implements Callers {
  settled!: Promise<Settled<T>>
  readonly presence = new Presence()
  /** Whether another owner's call is waited for. */
  isWaiting = false
  readonly #onEnd: () => void
  #waiting: AbortController | undefined
  #live: Live | undefined
  #isOver = false
  #changed = pulse()

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  depart(run: (callers: Callers) => Promise<Settled<T>>): void {
    this.settled = run(this).finally(() => {
      this.#isOver = true
      this.shut()
      this.#changed.resolve()
    })
  }

  /** Another log of the answer than `after`; undefined when there will be none. */
  async live(after: LiveLog | undefined): Promise<Live | undefined> {
    for (;;) {
      if (this.#isOver) return undefined
      const live = this.#live
      if (live && live.log !== after && live.log.state.is !== 'failed') return live
      await this.#changed.promise
    }
  }

  leave(why: Leaving | undefined): void {
    this.presence.leave(why)
    if (!this.presence.any) this.#waiting?.abort(ABANDONED)
  }

  readonly begin = (live: Live): void => {
    this.#live = live
    this.#changed.resolve()
    this.#changed = pulse()
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
    // Not this very flight any more for who comes after.
    this.#waiting.signal.addEventListener('abort', () => this.shut())
    try {
      await next(this.#waiting.signal)
    } finally {
      this.#waiting = undefined
    }
  }
}
