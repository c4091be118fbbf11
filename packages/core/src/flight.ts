import { abortable } from './abortable.js'
import type { Call, Engine, Settled } from './engine.js'
import { KeyReusedError } from './errors/key-reused-error.js'
import { execute } from './execute.js'
import { run } from './run.js'

interface RunningFlight {
  readonly fingerprint: string
  readonly settled: Promise<Settled<unknown>>
  readonly abandon: AbortController
  callers: number
  begun: boolean
}

/**
 * One flight a key in this process: a thousand local duplicates cost the store what one costs, and collapse even when
 * there is no store to ask. A caller that leaves takes nobody with it; only when the last one leaves a flight that is
 * still waiting for somebody else's execution does the flight end.
 */
export class Flights {
  readonly #engine: Engine
  readonly #flights = new Map<string, RunningFlight>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /**
   * The one execution of this request, as this caller sees it.
   * @param signal ends this caller's wait with the signal's reason, and nothing else
   */
  async share<T>(call: Call<T>, signal?: AbortSignal): Promise<Settled<T>> {
    signal?.throwIfAborted()
    const running = this.#flights.get(call.id)
    if (running && running.fingerprint !== call.fingerprint) throw new KeyReusedError()
    const flight = running ?? this.#start(call)
    const settled = (await this.#ride(call.id, flight, signal)) as Settled<T>
    return running ? copyFor(call, this.#engine, settled) : settled
  }

  #start<T>(call: Call<T>): RunningFlight {
    const abandon = new AbortController()
    const flight: RunningFlight = {
      fingerprint: call.fingerprint,
      abandon,
      callers: 0,
      begun: false,
      settled: run(call, this.#engine, {
        abandoned: abandon.signal,
        begin: () => {
          flight.begun = true
        },
      }).finally(() => this.#forget(call.id, flight)),
    }
    this.#flights.set(call.id, flight)
    this.#engine.background.add(flight.settled)
    return flight
  }

  async #ride(id: string, flight: RunningFlight, signal: AbortSignal | undefined): Promise<Settled<unknown>> {
    flight.callers++
    try {
      return await abortable(flight.settled, signal)
    } finally {
      flight.callers--
      if (flight.callers === 0 && !flight.begun) {
        this.#forget(id, flight)
        flight.abandon.abort()
      }
    }
  }

  #forget(id: string, flight: RunningFlight): void {
    if (this.#flights.get(id) === flight) this.#flights.delete(id)
  }
}

/** A copy of its own for a caller that joined. Where no faithful one exists, it makes its own call. */
async function copyFor<T>(call: Call<T>, engine: Engine, settled: Settled<T>): Promise<Settled<T>> {
  const outcome = settled.outcome === 'replayed' ? 'replayed' : 'collapsed'
  if (settled.answer) return { ...settled, outcome, value: call.codec.decode(settled.answer) }
  const copied = call.codec.copy(settled.value)
  return copied ? { ...settled, outcome, value: copied.value } : execute(call, engine)
}
