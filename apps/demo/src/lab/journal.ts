import { EventEmitter } from 'node:events'
import { now } from '../shared/clock.js'
import { type CallRow, KEPT, type RequestRow } from '../shared/rows.js'
import type { Ask, AskNews, CallNews } from '../shared/worker-events.js'

/** How long a request's text was at a time. */
export type Arrivals = ReadonlyMap<number, number>

/** What the workers do, in order. Listeners are told of each row that changes. */
export class Journal {
  readonly #changes = new EventEmitter().setMaxListeners(0)
  readonly #requests = new Map<number, RequestRow>()
  readonly #calls = new Map<string, CallRow>()
  readonly #arrivals = new Map<number, Map<number, number>>()
  readonly #waiting = new Map<number, (row: RequestRow) => void>()

  get requests(): readonly RequestRow[] {
    return [...this.#requests.values()]
  }

  /** How many wait for their answer. */
  get running(): number {
    return this.#waiting.size
  }

  get calls(): readonly CallRow[] {
    return [...this.#calls.values()]
  }

  /** When a request had this much of its text. */
  arrivals(id: number): Arrivals {
    return this.#arrivals.get(id) ?? new Map()
  }

  /** The calls to the provider that were made for this prompt. */
  callsFor(prompt: string): CallRow[] {
    return this.calls.filter(({ request }) => this.#requests.get(request)?.prompt === prompt)
  }

  /** A request that is about to be made in this worker. Resolves with its row when it is over, and never rejects. */
  open({ timeoutMs, maxRetries, ...question }: Ask, worker: number): Promise<RequestRow> {
    const answered = new Promise<RequestRow>((resolve) => this.#waiting.set(question.id, resolve))
    this.#arrivals.set(question.id, new Map())
    this.#put({ ...question, worker, startedAt: now(), headers: {}, attempts: 0, text: '' })
    if (this.#requests.size > KEPT) this.#dropOne()
    return answered
  }

  /** What a worker tells of a request. */
  heard({ piece, ...news }: AskNews): void {
    const row = this.#requests.get(news.id)
    if (!row) return
    const text = row.text + (piece?.text ?? '')
    if (piece) this.#arrivals.get(row.id)?.set(text.length, piece.at)
    const isJoining = row.stream && news.begunAt !== undefined && news.outcome === 'collapsed'
    this.#put({ ...row, ...news, text, ...(isJoining && { backlog: this.#sentOf(row) }) })
  }

  /** What a worker tells of a call to the provider. */
  heardCall(news: CallNews, worker: number): void {
    if (this.#requests.has(news.request)) this.#putCall({ ...news, worker })
  }

  /** A request failed before its worker could report it. */
  failed(id: number, error: string): void {
    const row = this.#requests.get(id)
    if (row && row.endedAt === undefined) this.#put({ ...row, endedAt: now(), error })
  }

  /** Ends the rows of a process that died, since nobody else can. */
  lost(worker: number): void {
    for (const row of this.requests)
      if (row.worker === worker)
        this.failed(row.id, 'Its process died. A caller that asks again is answered by another process.')
    for (const call of this.calls)
      if (call.worker === worker && call.endedAt === undefined)
        this.#putCall({ ...call, endedAt: now(), end: 'lost' })
  }

  onRequest(listener: (row: RequestRow) => void): void {
    this.#changes.on('request', listener)
  }

  onCall(listener: (row: CallRow) => void): void {
    this.#changes.on('call', listener)
  }

  onChange(listener: () => void): void {
    this.#changes.on('change', listener)
  }

  /** Something changed that is in no row: everybody who waits looks again. */
  touch(): void {
    this.#changes.emit('change')
  }

  /**
   * Resolves as soon as something holds, which is looked at with each change.
   * @param what completes "Waited in vain for …"
   */
  until(what: string, holds: () => boolean, withinMs = 20_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        this.#changes.off('change', look)
      }
      const look = () => {
        if (!holds()) return
        end()
        resolve()
      }
      const timer = setTimeout(() => {
        end()
        reject(new Error(`Waited in vain for ${what}.`))
      }, withinMs)
      this.#changes.on('change', look)
      look()
    })
  }

  #put(row: RequestRow): void {
    this.#requests.set(row.id, row)
    if (row.endedAt !== undefined) {
      this.#waiting.get(row.id)?.(row)
      this.#waiting.delete(row.id)
    }
    this.#changes.emit('request', row)
    this.touch()
  }

  #putCall(call: CallRow): void {
    this.#calls.set(call.id, call)
    this.#changes.emit('call', call)
    this.touch()
  }

  /** How many characters of the running answer to this question its owner has. */
  #sentOf({ prompt, model }: RequestRow): number {
    const callers = this.calls
      .filter(({ endedAt }) => endedAt === undefined)
      .map(({ request }) => this.#requests.get(request))
    return callers.find((row) => row?.prompt === prompt && row.model === model)?.text.length ?? 0
  }

  /** Forgets the oldest request that is over. */
  #dropOne(): void {
    const dropped = this.requests.find(({ endedAt }) => endedAt !== undefined)
    if (!dropped) return
    this.#requests.delete(dropped.id)
    this.#arrivals.delete(dropped.id)
    for (const call of this.calls) if (call.request === dropped.id) this.#calls.delete(call.id)
  }
}
