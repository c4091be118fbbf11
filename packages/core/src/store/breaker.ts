/** Commands in a row without an answer after which a store is left alone, and for how long before one tries again. */
const FAILURES = 3
const REST_MS = 1_000

/** Leaves a part of a store alone that is connected and does not answer, so that callers do not each wait a budget. */
export class Breaker {
  #failures = 0
  #rest: NodeJS.Timeout | undefined
  #erredAt: number | undefined
  #isTrying = false

  /** Whether a command may be sent. After the pause one command tries, and the others do not wait for its outcome. */
  admits(): boolean {
    if (this.#failures < FAILURES) return true
    if (this.#isTrying || this.#rest) return false
    this.#isTrying = true
    return true
  }

  /** A command got no answer. */
  failed(): void {
    this.#failures++
    this.#isTrying = false
    if (this.#failures >= FAILURES) this.#beginRest()
  }

  /** A command ended in a way that does not count: its connection was lost, say. */
  unsure(): void {
    this.#isTrying = false
  }

  /** A command failed at once, or was given up early. */
  erred(): void {
    this.#isTrying = false
    this.#erredAt ??= performance.now()
  }

  /** How long no command has been answered while some failed, ms. */
  get errsForMs(): number {
    return this.#erredAt === undefined ? 0 : performance.now() - this.#erredAt
  }

  /** A command was answered, or the connection is a new one: commands are sent again, at once. */
  reset(): void {
    this.#failures = 0
    this.#erredAt = undefined
    this.#isTrying = false
    this.#endRest()
  }

  #beginRest(): void {
    this.#endRest()
    this.#rest = setTimeout(() => this.#endRest(), REST_MS).unref()
  }

  #endRest(): void {
    clearTimeout(this.#rest)
    this.#rest = undefined
  }
}
