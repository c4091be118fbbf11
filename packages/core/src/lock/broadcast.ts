import type { Engine } from './engine.js'
import type { LiveLog } from './live-log.js'
import { sealHead } from './record.js'
import { within } from './within.js'

/** The least an unused log outlives its last bytes, ms: who reads it looks at least that often. */
const LIFE_MS = 15_000

/**
 * Copies the log of a running answer to the store, where duplicates in other processes follow it: its head first, then
 * its bytes, in batches. The store may be slow or away; the log waits for nobody, and what was missed is sent later.
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

  /** One batch: all there is. Never rejects: the next one sends what this one could not. */
  async #send(): Promise<void> {
    const { store, leaseMs } = this.#engine
    try {
      const bytes = this.#from(this.#sent)
      // The store says how long its log is: less than we think where it was lost, and is written again from there.
      this.#sent = await store.append!(
        this.#key,
        this.#owner,
        this.#sent,
        bytes,
        Math.max(LIFE_MS, 2 * leaseMs),
      )
      this.#isFailing = false
    } catch {
      this.#isFailing = true
    } finally {
      this.#sending = undefined
    }
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
