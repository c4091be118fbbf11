import { setTimeout as delay } from 'node:timers/promises'
import { spawnWorker, type Worker } from '@idem/testing'
import type { WorkerRow } from '../shared/rows.js'
import type { WorkerEvents } from '../shared/worker-events.js'

/** Listens to the workers' events, and to their ends. */
export interface WorkersOptions {
  readonly count: number
  readonly env: Record<string, string | undefined>
  readonly heard: {
    readonly [Name in keyof WorkerEvents]: (worker: number, news: WorkerEvents[Name]) => void
  }
  lost(worker: number): void
  changed(): void
}

/** Between two tries to replace a worker, ms. */
const RESPAWN_MS = 500

interface Slot {
  readonly number: number
  state: WorkerRow['state']
  worker?: Worker
}

/** Processes that serve requests in turn, as behind a load balancer. One that dies is replaced. */
export class Workers {
  readonly #options: WorkersOptions
  readonly #slots: Slot[]
  #turn = 0
  #isStopping = false

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#slots = Array.from({ length: options.count }, (_, index) => ({
      number: index + 1,
      state: 'starting',
    }))
  }

  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#spawn(slot)))
  }

  get rows(): WorkerRow[] {
    return this.#slots.map(({ number, state, worker }) => ({
      number,
      state,
      ...(worker && { pid: worker.pid }),
    }))
  }

  /** The next worker in turn that is up. */
  next(): number {
    const up = this.#up()
    return up[this.#turn++ % up.length]!
  }

  /** Any worker that can answer now. */
  any(): number {
    return this.#up()[0]!
  }

  /** Rejects when the worker dies before it has answered. A paused one answers when it is resumed. */
  async call<T>(number: number, method: string, ...args: unknown[]): Promise<T> {
    const { worker } = this.#slot(number)
    if (!worker) throw unavailable(`Worker ${number} is starting. Ask again in a second.`)
    return worker.call<T>(method, ...args)
  }

  kill(number: number): void {
    this.#slot(number).worker?.signal('SIGKILL')
  }

  pause(number: number): void {
    this.#signal(number, 'up', 'SIGSTOP', 'paused')
  }

  resume(number: number): void {
    this.#signal(number, 'paused', 'SIGCONT', 'up')
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#slots.map(({ worker }) => worker?.stop()))
  }

  /** At least one, or it throws. */
  #up(): number[] {
    const up = this.#slots.filter(({ state }) => state === 'up').map(({ number }) => number)
    if (up.length === 0)
      throw unavailable('No worker is up. One that died is replaced within a second: ask again then.')
    return up
  }

  #slot(number: number): Slot {
    const slot = this.#slots[number - 1]
    if (!slot) throw new Error(`There is no worker ${number}: there are ${this.#slots.length}.`)
    return slot
  }

  #signal(number: number, from: Slot['state'], signal: 'SIGSTOP' | 'SIGCONT', to: Slot['state']): void {
    const slot = this.#slot(number)
    if (slot.state !== from) return
    slot.worker?.signal(signal)
    slot.state = to
    this.#options.changed()
  }

  /** Waits until it is up: otherwise requests in its turn would find no process. */
  async #respawn(slot: Slot): Promise<void> {
    while (!this.#isStopping && slot.state === 'starting') {
      try {
        await this.#spawn(slot)
      } catch (error) {
        if (this.#isStopping) return
        process.stderr.write(`Worker ${slot.number} did not start, and is started again: ${error}\n`)
        await delay(RESPAWN_MS, undefined, { ref: false })
      }
    }
  }

  async #spawn(slot: Slot): Promise<void> {
    const { env, heard, lost, changed } = this.#options
    const worker = await spawnWorker(new URL('./worker.cjs', import.meta.url), { env })
    worker.on('ask', (news: WorkerEvents['ask']) => heard.ask(slot.number, news))
    worker.on('call', (news: WorkerEvents['call']) => heard.call(slot.number, news))
    worker.on('store', (news: WorkerEvents['store']) => heard.store(slot.number, news))
    if (this.#isStopping) return void (await worker.stop())
    Object.assign(slot, { worker, state: 'up' })
    changed()
    void worker.exited.then(() => {
      if (this.#isStopping) return
      Object.assign(slot, { worker: undefined, state: 'starting' })
      lost(slot.number)
      changed()
      return this.#respawn(slot)
    })
  }
}

/** A state that may have passed when somebody asks again: HTTP's 503. */
export function unavailable(sentence: string): Error {
  return Object.assign(new Error(sentence), { statusCode: 503 })
}
