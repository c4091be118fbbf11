import type { Leaving } from '../presence.js'

/** How long one caller waits: until it aborts, or until its time is over. */
export class Patience {
  /** Aborted at the end of it, with what the caller is to be told. */
  readonly signal: AbortSignal
  readonly #deadline = new AbortController()
  readonly #timer: NodeJS.Timeout | undefined

  constructor(signal: AbortSignal | null | undefined, timeoutMs: number | undefined) {
    // SDKs take an AbortError that is none of their caller's for a timeout, and retry.
    const expire = () =>
      this.#deadline.abort(new DOMException('This caller waited long enough.', 'AbortError'))
    this.#timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs)
    this.signal = signal ? AbortSignal.any([signal, this.#deadline.signal]) : this.#deadline.signal
  }

  /** Why the caller left; undefined if it did not. */
  get leaving(): Leaving | undefined {
    if (!this.signal.aborted) return undefined
    return this.signal.reason === this.#deadline.signal.reason ? 'timeout' : 'abort'
  }

  /** No deadline any more: the answer has begun. */
  stop(): void {
    clearTimeout(this.#timer)
  }
}
