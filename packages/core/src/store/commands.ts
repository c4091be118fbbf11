import { setTimeout as delay } from 'node:timers/promises'
import { cleanCause } from '../errors/clean-cause.js'
import { isIdemError } from '../errors/idem-error.js'
import { isStoreError, StoreError } from '../errors/store-errors.js'
import { inTime } from '../util/budget.js'
import { Breaker } from './breaker.js'
import { Connection } from './connection.js'
import { assertReply, type CommandName } from './replies.js'
import type { Store } from './store.js'

/** The pauses between two tries of one acquire, ms: the first is made again at once. */
const FIRST_PAUSE_MS = 25
const MAX_PAUSE_MS = 100
/** A lost connection is waited for this many budgets: what was away for one is back by then, whatever its client waits. */
const PATIENCE = 2
/** With less time than this left a command is not sent again: a timer may end that much early. */
const LEAST_MS = 5

/** One part of the store: a node of a cluster, or the whole store. */
interface Part {
  /** The last key it was asked for: other keys may have moved to another part. */
  key: string
  readonly breaker: Breaker
  readonly connection: Connection
}

/** Sends commands to a store: each within its time, and none to a part of it that is away. */
export class Commands {
  readonly #store: Pick<Store, 'domain' | 'ready'>
  readonly #budgetMs: number
  readonly #onRefused: (error: StoreError) => void
  readonly #parts = new Map<string, Part>()

  /** `onRefused` is told of each refusal. */
  constructor(
    store: Pick<Store, 'domain' | 'ready'>,
    budgetMs: number,
    onRefused: (error: StoreError) => void,
  ) {
    this.#store = store
    this.#budgetMs = budgetMs
    this.#onRefused = onRefused
  }

  /** For callers that need to know what stands: the call is made again if the store does not say. */
  get longestMs(): number {
    return this.#patienceMs + this.#budgetMs
  }

  connectionOf(key: string): Connection {
    return this.#partOf(key).connection
  }

  /** Stops looking for connections that are lost. */
  stop(): void {
    for (const { connection } of this.#parts.values()) connection.stop()
  }

  /** Sends one command. Its connection is waited for at most `forMs`; all of it together takes no longer. */
  async send<T>(
    name: CommandName,
    key: string,
    command: () => Promise<T>,
    forMs = this.#budgetMs,
  ): Promise<T> {
    const until = performance.now() + forMs
    const { breaker, connection } = this.#partOf(key)
    let budgetMs = 0
    let isSent = false
    let isLate = false
    try {
      // A command sent after its caller gave up would take a lock that nobody holds.
      const connecting = connection.ready(forMs - LEAST_MS)
      if (connecting) await connecting
      if (!breaker.admits()) throw leftAlone()
      isSent = true
      budgetMs = Math.min(this.#budgetMs, until - performance.now())
      const answer = await inTime(Promise.resolve(command()), budgetMs, () => {
        isLate = true
        return tooSlow(budgetMs)
      })
      assertReply(name, answer)
      breaker.reset()
      return answer
    } catch (cause) {
      const error = asStoreError(cause, isSent)
      if (isStoreError(error) && error.refused !== undefined) this.#onRefused(error)
      const isHasty = budgetMs < this.#budgetMs - LEAST_MS
      if (isSent) await judge(error, isLate ? !isHasty : error !== cause)
      throw error
    }

    /** Only the silence of a connected store, or a bug in it, counts as a failure. A store that refuses is there. */
    async function judge(error: unknown, isFailure: boolean): Promise<void> {
      if (!isStoreError(error) || error.effect === 'none') breaker.reset()
      else if (!(await connection.isThere())) breaker.unsure()
      else if (isFailure) breaker.failed()
      // Too slow for one hasty caller does not mean away; an error that comes at once costs the next caller nothing.
      else breaker.erred()
    }
  }

  /**
   * Sends a command again whose reply was lost: the owner tells whose lock it is. While a part of the store moves to
   * another server its client fails at once, for as long as that takes: the command is sent again and again, for a
   * budget. A new budget begins when a lost connection is back.
   */
  async sendInsistently<T>(
    name: CommandName,
    key: string,
    command: () => Promise<T>,
    forMs: number,
  ): Promise<T> {
    const end = performance.now() + forMs
    let until: number | undefined
    const started = () => {
      until ??= Math.min(end, performance.now() + this.#budgetMs)
      return command()
    }
    for (let pauseMs = 0; ; pauseMs = Math.min(pauseMs + FIRST_PAUSE_MS, MAX_PAUSE_MS)) {
      try {
        return await this.send(name, key, started, (until ?? end) - performance.now())
      } catch (error) {
        const isLost = isStoreError(error) && (error.effect === 'unknown' || error.isPassing)
        const { breaker, connection } = this.#partOf(key)
        if (until === undefined || !isLost || breaker.errsForMs >= this.#budgetMs) throw error
        if (pauseMs > 0) await delay(pauseMs)
        if (!(await connection.isThere())) until = undefined
        if (performance.now() + LEAST_MS >= (until ?? end)) throw error
      }
    }
  }

  get #patienceMs(): number {
    return PATIENCE * this.#budgetMs
  }

  /** Parts fail independently of each other. */
  #partOf(key: string): Part {
    const domain = this.#domainOf(key)
    const known = this.#parts.get(domain)
    if (known) {
      known.key = key
      return known
    }
    const breaker = new Breaker()
    const wasReady = [...this.#parts.values()].some(({ connection }) => connection.wasReady)
    // The silence was that of the earlier connection.
    const onBack = () => breaker.reset()
    const ready = () => this.#store.ready(part.key)
    const connection = new Connection(ready, this.#patienceMs, onBack, wasReady)
    const part: Part = { key, breaker, connection }
    this.#parts.set(domain, part)
    return part
  }

  #domainOf(key: string): string {
    try {
      return this.#store.domain?.(key) ?? ''
    } catch {
      return '' // The store does not say: it is one part.
    }
  }
}

function tooSlow(budgetMs: number): StoreError {
  return new StoreError(`The store did not answer within ${Math.round(budgetMs)} ms.`, { effect: 'unknown' })
}

function leftAlone(): StoreError {
  return new StoreError('The store does not answer, and is left alone for a moment.', { effect: 'none' })
}

/** Every error that leaves here has a clean cause, whatever a store put there. */
function asStoreError(error: unknown, isSent: boolean): unknown {
  if (!isIdemError(error)) {
    return new StoreError('A store command failed.', {
      effect: isSent ? 'unknown' : 'none',
      cause: cleanCause(error),
    })
  }
  if (error.cause !== undefined) Reflect.set(error, 'cause', cleanCause(error.cause))
  return error
}
