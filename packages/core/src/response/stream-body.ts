import { setMaxListeners } from 'node:events'
import type { Live, Settled } from '../engine.js'
import type { Seat } from '../flight.js'
import { type Bytes, Cursor } from '../live-log.js'
import { within } from '../within.js'
import type { Recorded } from './recorded.js'

/** An answer as it comes, or the whole where it does not come in pieces. */
export type Source = Live | Settled<Recorded>

/** How the answer of one caller is read. */
export interface Reading {
  readonly seat: Seat<Recorded>
  /** Where it begins; a promise while nothing has begun. */
  readonly source: Source | Promise<Source>
  /** A whole answer as the bytes of a stream. */
  open(settled: Settled<Recorded>): Promise<Bytes>
  /** The bytes that tell of an error when headers have gone out; undefined where the stream itself is to fail. */
  describe(error: unknown): Uint8Array | undefined
  /** What is sent while nothing has begun. */
  ping(): Uint8Array
  readonly pingMs: number
}

/** The stream of one caller, wherever it comes from: nothing yet, a log, another log, a whole answer. */
class StreamReader implements Bytes {
  readonly #reading: Reading
  #source: Promise<Source>
  #bytes: Bytes | undefined
  #isClosed = false

  constructor(reading: Reading) {
    const { source } = reading
    this.#reading = reading
    this.#source = Promise.resolve(source)
    this.#source.catch(() => {}) // Told to whoever reads.
    if ('log' in source) this.#bytes = this.#follow(source)
  }

  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#bytes ??= await this.#begin()
      if (!this.#bytes) return this.#isClosed ? undefined : this.#reading.ping()
      try {
        return await this.#bytes.next()
      } catch (error) {
        const log = this.#bytes instanceof Cursor && this.#bytes.offset === 0 ? this.#bytes.log : undefined
        if (!log) throw error
        // It has nothing of that log yet: what comes instead of it will do.
        this.#bytes.close()
        this.#bytes = undefined
        this.#source = this.#reading.seat.next(log)
      }
    }
  }

  close(): void {
    this.#isClosed = true
    this.#bytes?.close()
  }

  /** The bytes of what has begun; undefined where nothing has, or nobody reads. */
  async #begin(): Promise<Bytes | undefined> {
    const { open, describe, pingMs } = this.#reading
    try {
      const source = await within(this.#source, pingMs)
      if (!source || this.#isClosed) return undefined
      const bytes = 'log' in source ? this.#follow(source) : await open(source)
      if (this.#isClosed) bytes.close()
      return bytes
    } catch (error) {
      const last = describe(error)
      if (!last) throw error
      return once(last)
    }
  }

  /** Who has a part of an answer that is lost wants no other: no call is begun for it. */
  #follow({ log }: Live): Bytes {
    return log.read(() => this.#reading.seat.leave())
  }
}

/** All at once. */
export function once(bytes: Uint8Array): Bytes {
  let left: Uint8Array | undefined = bytes
  return {
    async next() {
      const all = left
      left = undefined
      return all
    },
    close() {},
  }
}

/** Ends the reading of bodies that nobody holds any more. */
const dropped = new FinalizationRegistry<() => void>((end) => end())

/**
 * The body of one caller's Response: read as fast as the caller reads and no faster. `cancel()`, an abort of the
 * caller's own signal, and that it is dropped end it and touch nobody else.
 */
export function streamBody(
  reading: Reading,
  signal: AbortSignal | null | undefined,
): ReadableStream<Uint8Array> {
  const { seat } = reading
  const reader = new StreamReader(reading)
  let stream: WeakRef<ReadableByteStreamController> | undefined
  let isOver = false

  function end(leaving?: 'abort'): void {
    isOver = true
    signal?.removeEventListener('abort', abort)
    dropped.unregister(reader)
    reader.close()
    seat.leave(leaving)
  }
  // The stream is held weakly: SDKs tell by its collection that a caller has dropped it, and the signal may live on.
  function abort(): void {
    end('abort')
    stream?.deref()?.error(new DOMException('This operation was aborted', 'AbortError'))
  }
  if (signal) {
    // Every stream that runs listens, and each takes its listener away: there is no leak to warn of.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', abort, { once: true })
  }

  const body = new ReadableStream(
    {
      type: 'bytes',
      start(controller) {
        stream = new WeakRef(controller)
      },
      async pull(controller) {
        try {
          let bytes = await reader.next()
          // Nothing is no piece.
          while (bytes?.byteLength === 0) bytes = await reader.next()
          if (isOver) return
          // A copy: a stream of bytes takes away what it is given, and these are everybody's.
          if (bytes) return controller.enqueue(new Uint8Array(bytes))
          end()
          controller.close()
          controller.byobRequest?.respond(0)
        } catch (error) {
          if (isOver) return
          end()
          controller.error(error)
        }
      },
      cancel: () => end('abort'),
    },
    { highWaterMark: 0 },
  )
  dropped.register(body, () => end('abort'), reader)
  return body
}
