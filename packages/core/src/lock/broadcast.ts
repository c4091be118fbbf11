import type { LiveLog } from '../answer/live-log.js'
import { sealHead } from '../answer/record.js'
import type { Engine } from '../call/engine.js'
import { within } from '../util/within.js'

/** How long a log outlives its last bytes at least, ms: its readers look at least that often. */
const LIFE_MS = 15_000

/**
 * Copies the log of a running answer to the store, where duplicates in other processes follow it: its head first, then
 * its bytes, in batches. The store may be slow or away: the log does not wait for it, and what was missed is sent later.
 */
export class Broadcast {
  readonly #engine: Engine
  readonly #key: string
  readonly #owner: string
  readonly #log: LiveLog
  readonly #head: Uint8Array
  readonly #stopped = new AbortController()
  /** How long the store's log is, its head included. */
  #sent = 0
  #sending: Promise<void> | undefined
  #isFailing = false

  /** Begins to send. */
  constructor(engine: Engine, key: string, owner: string, log: LiveLog) {
    this.#engine = engine
    this.#key = key
    this.#owner = owner
    this.#log = log
    this.#head = sealHead(log.head)
    void this.#run()
  }

  /** Keeps the store's log alive while nothing comes: a model may think for minutes. */
  keep(): void {
    this.#sending ??= this.#send()
  }

  stop(): void {
    this.#stopped.abort()
  }

  async #run(): Promise<void> {
    const { liveBatchMs, liveBatchBytes, pollMaxMs } = this.#engine
    const { signal } = this.#stopped
    let sentAt = Number.NEGATIVE_INFINITY
    while (!signal.aborted) {
      await this.#log.grown(Math.max(0, this.#sent - this.#head.byteLength))
      // Bytes after a pause go out at once; those that follow wait for company.
      const dueAt = sentAt + (this.#isFailing ? pollMaxMs : liveBatchMs)
      while (performance.now() < dueAt && (this.#isFailing || this.#pending < liveBatchBytes)) {
        if (signal.aborted || this.#log.state.is !== 'open') return
        await within(this.#log.grown(this.#log.length), dueAt - performance.now())
      }
      if (signal.aborted || this.#log.state.is !== 'open') return
      sentAt = performance.now()
      this.#sending ??= this.#send()
      await this.#sending
    }
  }

  get #pending(): number {
    return this.#head.byteLength + this.#log.length - this.#sent
  }

  /** Sends one batch: all there is. Never rejects: what it could not send goes with the next one. */
  async #send(): Promise<void> {
    try {
      // The store says how long its log is: less than we think where it was lost. It is then written again from there
      // at once, since followers take silence for the end of this process.
      if (!(await this.#append())) await this.#append()
      this.#isFailing = false
    } catch {
      this.#isFailing = true
    } finally {
      this.#sending = undefined
    }
  }

  /** @returns whether the store's log had all that was sent before */
  async #append(): Promise<boolean> {
    const { store, leaseMs } = this.#engine
    const [key, owner, offset, bytes] = [this.#key, this.#owner, this.#sent, this.#from(this.#sent)]
    this.#sent = await store.append!(key, owner, offset, bytes, Math.max(LIFE_MS, 2 * leaseMs))
    return this.#sent >= offset
  }

  #from(offset: number): Uint8Array {
    const parts: Uint8Array[] = []
    if (offset < this.#head.byteLength) parts.push(this.#head.subarray(offset))
    let at = Math.max(0, offset - this.#head.byteLength)
    for (let bytes = this.#log.peek(at); bytes; bytes = this.#log.peek(at)) {
      parts.push(bytes)
      at += bytes.byteLength
    }
    return Buffer.concat(parts)
  }
}
