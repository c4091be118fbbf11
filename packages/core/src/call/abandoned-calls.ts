/** How much may go on without a waiting caller, for one idem. */
export interface AbandonedLimits {
  readonly maxAbandonedCalls: number
  readonly maxAbandonedBytes: number
}

/** A call that goes on although no caller in this process waits for it. */
export interface AbandonedCall {
  /** How many bytes it holds in memory. */
  readonly bytes: number
}

/** All abandoned calls of one idem. */
export class AbandonedCalls {
  readonly #limits: AbandonedLimits
  readonly #calls = new Set<AbandonedCall>()

  constructor(limits: AbandonedLimits) {
    this.#limits = limits
  }

  add(call: AbandonedCall): void {
    this.#calls.add(call)
  }

  delete(call: AbandonedCall): void {
    this.#calls.delete(call)
  }

  get areTooMany(): boolean {
    const { maxAbandonedCalls, maxAbandonedBytes } = this.#limits
    if (this.#calls.size > maxAbandonedCalls) return true
    let bytes = 0
    for (const call of this.#calls) bytes += call.bytes
    return bytes > maxAbandonedBytes
  }
}
