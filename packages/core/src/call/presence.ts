/** Why a caller left before the end: its time was over, and its retry may be on the way; or on purpose. */
export type Leaving = 'timeout' | 'abort'

/** How many callers still want the answer of one flight. */
export class Presence {
  #count = 0
  #retryExpected = false
  /** Called when the last caller leaves, and when one comes after that. */
  onChange: (() => void) | undefined

  get any(): boolean {
    return this.#count > 0
  }

  /** Whether somebody left because its time was over, and nobody has come since. */
  get retryExpected(): boolean {
    return this.#retryExpected
  }

  enter(): void {
    this.#count++
    this.#retryExpected = false
    if (this.#count === 1) this.onChange?.()
  }

  leave(why?: Leaving): void {
    this.#retryExpected ||= why === 'timeout'
    this.#count--
    if (this.#count === 0) this.onChange?.()
  }
}
