/** Limits of what goes on with nobody waiting, for one idem. */
export interface DetachedLimits {
  readonly maxDetachedCalls: number
  readonly maxDetachedBytes: number
}

/** A call that goes on although nobody in this process waits for it. */
export interface DetachedCall {
  /** What it holds in memory. */
  readonly bytes: number
}

/** All of them of one idem. */
export class DetachedCalls {
  readonly #limits: DetachedLimits
  readonly #calls = new Set<DetachedCall>()

  constructor(limits: DetachedLimits) {
    this.#limits = limits
  }

  add(call: DetachedCall): void {
    this.#calls.add(call)
  }

  delete(call: DetachedCall): void {
    this.#calls.delete(call)
  }

  get areTooMany(): boolean {
    const { maxDetachedCalls, maxDetachedBytes } = this.#limits
    if (this.#calls.size > maxDetachedCalls) return true
    let bytes = 0
    for (const call of this.#calls) bytes += call.bytes
    return bytes > maxDetachedBytes
  }
}
