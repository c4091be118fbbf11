import { type Call, type Engine, keyOf, type Settled } from './call/engine.js'
import { Flight, Seat } from './call/flight.js'
import { beginWait, isInsideWorkOf } from './call/running-work.js'
import { UncertainError } from './errors/execution-errors.js'
import { execute } from './lock/execute.js'
import { run } from './run.js'

/**
 * One flight for each request in this process: to the store, a thousand local duplicates cost as much as one, and they
 * share a call even while the store is away. Another fingerprint under the same key is another flight: the store tells
 * them apart.
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
    const endWait = beginWait(keyOf(call))
    const name = flightName(call)
    const running = this.#flights.get(name) as Flight<T> | undefined
    const flight = running ?? this.#start(name, call)
    return new Seat(flight, running !== undefined, signal, endWait)
  }

  /** Whether this is called by work that one of these flights is running. */
  get areCalling(): boolean {
    return isInsideWorkOf(this.#engine)
  }

  /** Callers that come from now on start a new flight: the answer of the running one was forgotten. */
  forget(id: string): void {
    for (const [name, flight] of this.#flights) if (name.startsWith(`${id} `)) flight.shut()
  }

  #start<T>(name: string, call: Call<T>): Flight<T> {
    const flight = new Flight<T>(() => {
      if (this.#flights.get(name) === flight) this.#flights.delete(name)
    })
    this.#flights.set(name, flight as Flight<unknown>)
    flight.depart((callers) => run(call, this.#engine, callers))
    this.#engine.background.add(flight.settled)
    return flight
  }

  /** A copy for a caller that joined. If no faithful copy exists, the caller makes its own call. */
  async #copyFor<T>(call: Call<T>, settled: Settled<T>): Promise<Settled<T>> {
    if (settled.answer) return { ...settled, value: call.codec.decode(settled.answer) }
    const copied = call.codec.copy?.(settled.value)
    if (copied) return { ...settled, value: copied.value }
    if (call.ifOwnerLost === 'reject') throw new UncertainError()
    const own = execute(call, this.#engine)
    this.#engine.background.add(own)
    return own
  }
}

/**
 * Callers share a flight only if they want the same promises. A record that is too old for one ttl is good for another.
 * A caller that must not go on without the store must not get the answer of one that did. A caller that allows more
 * time must not be given up with one that allows less. Flights of one key meet at the store.
 */
function flightName<T>(call: Call<T>): string {
  const { id, fingerprint, ttlMs, ifStoreFails, ifOwnerLost, ifAbandoned = '' } = call
  const promises = `${ttlMs} ${ifStoreFails} ${ifOwnerLost} ${ifAbandoned}`
  return `${id} ${fingerprint} ${promises} ${call.maxWaitMs} ${call.maxExecutionMs}`
}
