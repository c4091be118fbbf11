import { AsyncLocalStorage } from 'node:async_hooks'
import { abortable } from './abortable.js'
import type { Call, Engine, Settled } from './engine.js'
import { InvalidArgumentError } from './errors/invalid-argument-error.js'
import { execute } from './execute.js'
import { type Callers, run } from './run.js'

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
    signal?.throwIfAborted()
    if (inside.getStore()?.has(call.id)) {
      throw new InvalidArgumentError(
        'This call is made by the work of the same key: it would wait for itself.',
      )
    }
    const name = `${call.id} ${call.fingerprint}`
    const running = this.#flights.get(name) as Flight<T> | undefined
    const flight = running ?? this.#start(name, call)
    const settled = await flight.ride(signal)
    return running ? this.#copyFor(call, settled) : settled
  }

  #start<T>(name: string, call: Call<T>): Flight<T> {
    const ids = new Set(inside.getStore()).add(call.id)
    const work: Call<T>['work'] = (signal) => inside.run(ids, () => call.work(signal))
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
    const outcome = settled.outcome === 'replayed' ? 'replayed' : 'collapsed'
    if (settled.answer) return { ...settled, outcome, value: call.codec.decode(settled.answer) }
    const copied = call.codec.copy(settled.value)
    if (copied) return { ...settled, outcome, value: copied.value }
    const own = execute(call, this.#engine)
    this.#engine.background.add(own)
    return own
  }
}

/** Reason of a flight that ended because nobody was left; nobody is there to see it. */
const ABANDONED = new Error('Nobody waits any more.')

/**
 * One trip through the loop, and those who wait for it. A caller that leaves takes nobody with it. When the last one
 * leaves, a call that has begun goes on to its end; a wait for somebody else's ends.
 */
class Flight<T> implements Callers {
  settled!: Promise<Settled<T>>
  readonly #onEnd: () => void
  #waiting: AbortController | undefined
  #callers = 0

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  depart(run: (callers: Callers) => Promise<Settled<T>>): void {
    this.settled = run(this).finally(this.#onEnd)
  }

  async ride(signal: AbortSignal | undefined): Promise<Settled<T>> {
    this.#callers++
    try {
      return await abortable(this.settled, signal)
    } finally {
      this.#callers--
      if (this.#callers === 0) this.#waiting?.abort(ABANDONED)
    }
  }

  assertAny(): void {
    if (this.#callers > 0) return
    // At once: who comes now takes another flight.
    this.#onEnd()
    throw ABANDONED
  }

  async wait(next: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.assertAny()
    this.#waiting = new AbortController()
    // Not this very flight any more for who comes after.
    this.#waiting.signal.addEventListener('abort', this.#onEnd)
    try {
      await next(this.#waiting.signal)
    } finally {
      this.#waiting = undefined
    }
  }
}
