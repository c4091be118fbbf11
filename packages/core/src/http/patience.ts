import { setMaxListeners } from 'node:events'
import type { Leaving } from '../presence.js'

/** How long one caller waits for its answer to begin: until it aborts, or until its time is over. */
export class Patience {
  /** Aborted at the end of it, with what the caller is to be told. Undefined where there is no end to it. */
  readonly signal: AbortSignal | undefined
  readonly #stop: () => void = () => {}
  #isExpired = false

  constructor(signal: AbortSignal | null | undefined, timeoutMs: number | undefined) {
    this.signal = signal ?? undefined
    if (timeoutMs === undefined) return
    // Not AbortSignal.any(): of each such signal Node 20 keeps something for as long as the caller's own one lives.
    const end = new AbortController()
    const abort = () => end.abort(signal?.reason)
    const timer = setTimeout(() => {
      this.#isExpired = true
      // SDKs take an AbortError that is none of their caller's for a timeout, and retry.
      end.abort(new DOMException('This caller waited long enough.', 'AbortError'))
    }, timeoutMs)
    if (signal) {
      // Every caller that waits listens, and each takes its listener away: there is no leak to warn of.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', abort, { once: true })
    }
    this.signal = end.signal
    this.#stop = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Why the caller left; undefined if it did not. */
  get leaving(): Leaving | undefined {
    if (!this.signal?.aborted) return undefined
    // `AbortSignal.timeout()` names its reason so.
    const isTimeout =
      this.#isExpired || (this.signal.reason as Partial<Error> | undefined)?.name === 'TimeoutError'
    return isTimeout ? 'timeout' : 'abort'
  }

  /** No end to it any more: the answer has begun, or the caller has left. */
  stop(): void {
    this.#stop()
  }
}
