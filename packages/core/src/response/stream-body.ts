import { type Bytes, Cursor } from '../answer/live-log.js'
import type { Live, Settled } from '../call/engine.js'
import type { Seat } from '../call/flight.js'
import { allowListeners } from '../util/abortable.js'
import { within } from '../util/within.js'
import type { Recorded } from './recorded.js'

/** An answer as it comes, or the whole answer if it does not come in pieces. */
export type Source = Live | Settled<Recorded>

/** How one caller reads its answer. */
export interface Reading {
  readonly seat: Seat<Recorded>
  /** The answer to read; a promise while none has begun. */
  readonly source: Source | Promise<Source>
  /** A whole answer as the bytes of a stream. */
  open(settled: Settled<Recorded>): Promise<Bytes>
  /** The bytes that report an error after the headers have gone out. Undefined: the stream itself fails. */
  describe(error: unknown): Uint8Array | undefined
  /** The bytes to send while no answer has begun. */
  ping(): Uint8Array
  readonly pingMs: number
}

/** The stream of one caller, whichever source it comes from: nothing yet, a log, another log, a whole answer. */
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
        // The caller has no byte of that log yet, so any other answer will do.
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

  /** The bytes of what has begun. Undefined if nothing has, or no reader is left. */
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

  /** A caller that has a part of a lost answer cannot use another one: no call is made for it. */
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

/** Stops reading for bodies that were garbage collected. */
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
    stream?.deref()?.error(signal!.reason)
  }
  if (signal) {
    allowListeners(signal)
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
          // Skip empty chunks.
          while (bytes?.byteLength === 0) bytes = await reader.next()
          if (isOver) return
          // A copy: a byte stream takes away the buffer it is given, and these bytes are shared.
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
