import { setTimeout as delay } from 'node:timers/promises'
import type { Live, Settled } from '../engine.js'
import type { Seat } from '../flight.js'
import type { LiveLog } from '../live-log.js'
import type { HttpAnswer } from './dialect.js'

/** An answer as it comes, or the whole where it does not come in pieces. */
export type Source = Live | Settled<HttpAnswer>

/** Bytes for one reader. */
export interface Bytes {
  /** The next ones, not to be changed; undefined at the end. */
  next(): Promise<Uint8Array | undefined>
  close(): void
}

/** How the answer of one caller is read. */
export interface Reading {
  readonly seat: Seat<HttpAnswer>
  /** Where it begins; a promise while nothing has begun. */
  readonly source: Source | Promise<Source>
  /** A whole answer as the bytes of a stream. */
  open(settled: Settled<HttpAnswer>): Promise<Bytes>
  /** The bytes that tell of an error when headers have gone out; undefined where the stream itself is to fail. */
  describe(error: unknown): Uint8Array | undefined
  /** What is sent while nothing has begun. */
  readonly ping: Uint8Array
  readonly pingMs: number
}

/** The stream of one caller, wherever it comes from: nothing yet, a log, another log, a whole answer. */
class StreamReader implements Bytes {
  readonly #reading: Reading
  #source: Promise<Source>
  #bytes: Bytes | undefined
  #isClosed = false

  constructor(reading: Reading) {
    this.#reading = reading
    this.#source = Promise.resolve(reading.source)
    this.#source.catch(() => {}) // Told to whoever reads.
    if ('log' in reading.source) this.#use(this.#follow(reading.source.log))
  }

  async next(): Promise<Uint8Array | undefined> {
    const { ping, pingMs, describe } = this.#reading
    try {
      for (;;) {
        if (this.#bytes) return await this.#bytes.next()
        const source = await within(this.#source, pingMs)
        if (!source) return ping
        this.#use('log' in source ? this.#follow(source.log) : await this.#reading.open(source))
      }
    } catch (error) {
      const last = this.#bytes ? undefined : describe(error)
      if (!last) throw error
      this.#use(once(last))
      return this.#bytes!.next()
    }
  }

  close(): void {
    this.#isClosed = true
    this.#bytes?.close()
  }

  #use(bytes: Bytes): void {
    this.#bytes = bytes
    if (this.#isClosed) bytes.close()
  }

  /** A log that fails before this caller has any of it is left for what comes instead. */
  #follow(log: LiveLog): Bytes {
    const { seat } = this.#reading
    const cursor = log.read()
    // Its answer is lost; no other call is begun for it.
    cursor.onFailed = () => {
      if (cursor.offset > 0) seat.leave()
    }
    return {
      next: async () => {
        try {
          return await cursor.next()
        } catch (error) {
          if (cursor.offset > 0) throw error
          cursor.close()
          this.#bytes = undefined
          this.#source = seat.next(log)
          return this.next()
        }
      },
      close: () => cursor.close(),
    }
  }
}

/** All at once. */
export function once(bytes: Uint8Array): Bytes {
  let left: Uint8Array | undefined = bytes.byteLength > 0 ? bytes : undefined
  return {
    async next() {
      const all = left
      left = undefined
      return all
    },
    close() {},
  }
}

/**
 * The body of one caller's Response: read as fast as the caller reads and no faster. `cancel()`, and an abort of the
 * caller's own signal, end it at once and touch nobody else.
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
    reader.close()
    seat.leave(leaving)
  }
  // The stream is held weakly: an SDK tells by its collection that its caller has dropped it, and the signal may live on.
  function abort(): void {
    end('abort')
    stream?.deref()?.error(new DOMException('This operation was aborted', 'AbortError'))
  }
  signal?.addEventListener('abort', abort, { once: true })

  return new ReadableStream(
    {
      type: 'bytes',
      start(controller) {
        stream = new WeakRef(controller)
      },
      async pull(controller) {
        try {
          const bytes = await reader.next()
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
}

/** What the promise is for, or undefined after `ms`. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const timer = new AbortController()
  const over = delay(ms, undefined, { signal: timer.signal }).catch(() => undefined)
  try {
    return await Promise.race([promise, over])
  } finally {
    timer.abort()
  }
}
