import type { Leaving } from '../presence.js'

/** How long one caller waits: until it aborts, or until its time is over. */
export class Patience {
  /** Aborted at the end of it, with what the caller is to be told. Undefined where there is no end to it. */
  readonly signal: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout | undefined
  #isExpired = false

  constructor(signal: AbortSignal | null | undefined, timeoutMs: number | undefined) {
    this.signal = signal ?? undefined
    if (timeoutMs === undefined) return
    const deadline = new AbortController()
    this.#timer = setTimeout(() => {
      this.#isExpired = !signal?.aborted
      // SDKs take an AbortError that is none of their caller's for a timeout, and retry.
      deadline.abort(new DOMException('This caller waited long enough.', 'AbortError'))
    }, timeoutMs)
    this.signal = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal
  }

  /** Why the caller left; undefined if it did not. */
  get leaving(): Leaving | undefined {
    if (!this.signal?.aborted) return undefined
    // `AbortSignal.timeout()` names its reason so.
    const isTimeout =
      this.#isExpired || (this.signal.reason as Partial<Error> | undefined)?.name === 'TimeoutError'
    return isTimeout ? 'timeout' : 'abort'
  }

  /** No deadline any more: the answer has begun. */
  stop(): void {
    clearTimeout(this.#timer)
  }
}
