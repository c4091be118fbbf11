import type { Settled } from './engine.js'

/** Tokens of answers, as the provider counted them. */
export interface Tokens {
  /** Input of every kind: plain, written to the provider's prompt cache, read from it. */
  readonly input: number
  readonly output: number
}

/** What one idem did since it was created, in this process. */
export interface Stats {
  /** Calls that made the upstream call. */
  readonly executed: number
  /** Calls answered from a record. */
  readonly replayed: number
  /** Calls that shared an execution while it ran. */
  readonly collapsed: number
  /** Calls that asked not to be shared, or could not be told apart safely. */
  readonly bypassed: number
  /** Executions made although the store could not be reached. */
  readonly failedOpen: number
  /** Executions that another one of the same request overtook. */
  readonly superseded: number
  /**
   * Executions overtaken when callers had bytes of theirs already: those callers got the rest of it, all others the
   * answer that stands.
   */
  readonly diverged: number
  /** Calls cancelled because nobody waited for them any more. */
  readonly cancelled: number
  /** What was not paid for. */
  readonly saved: {
    /** Upstream calls not made: replayed + collapsed. */
    readonly calls: number
    readonly tokens: Tokens
  }
}

/** Counts outcomes; one for each idem. */
export class Counters {
  #executed = 0
  #replayed = 0
  #collapsed = 0
  #bypassed = 0
  #failedOpen = 0
  #superseded = 0
  #diverged = 0
  #cancelled = 0
  #tokens = { input: 0, output: 0 }

  settled({ outcome, answer }: Settled<unknown>): void {
    if (outcome === 'executed') {
      this.#executed++
      return
    }
    if (outcome === 'replayed') this.#replayed++
    else this.#collapsed++
    const tokens = answer?.facts.tokens as Partial<Tokens> | undefined
    this.#tokens.input += tokens?.input ?? 0
    this.#tokens.output += tokens?.output ?? 0
  }

  bypassed(): void {
    this.#bypassed++
  }

  failedOpen(): void {
    this.#failedOpen++
  }

  superseded(): void {
    this.#superseded++
  }

  diverged(): void {
    this.#diverged++
  }

  cancelled(): void {
    this.#cancelled++
  }

  read(): Stats {
    return {
      executed: this.#executed,
      replayed: this.#replayed,
      collapsed: this.#collapsed,
      bypassed: this.#bypassed,
      failedOpen: this.#failedOpen,
      superseded: this.#superseded,
      diverged: this.#diverged,
      cancelled: this.#cancelled,
      saved: { calls: this.#replayed + this.#collapsed, tokens: { ...this.#tokens } },
    }
  }
}
