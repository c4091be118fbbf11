import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel'
import { isIdemError } from './errors/idem-error.js'
import { StoreError } from './errors/store-error.js'
import type { AcquireOptions, Claim, Found, Store, Watch } from './store.js'

/** Failures in a row after which the store is left alone, and for how long before one command tries it again. */
const FAILURES = 3
const REST_MS = 1_000

/** The commands of a store that core sends, bounded in time. */
export interface GuardedStore
  extends Pick<
    Store,
    | 'renew'
    | 'complete'
    | 'release'
    | 'end'
    | 'ending'
    | 'read'
    | 'replace'
    | 'forget'
    | 'append'
    | 'tail'
    | 'report'
    | 'reports'
    | 'watch'
  > {
  /** Within `budgetMs`, where the caller has less time than the store is given otherwise. */
  acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options: AcquireOptions | undefined,
    budgetMs: number,
  ): Promise<Found>
}

/**
 * The store as core uses it: every command has a time budget, and a store (or the part of it that answers for a key)
 * that keeps failing is left alone for a while. Whatever goes wrong, also in a store with a bug, arrives as a
 * StoreError.
 */
export function guarded(store: Store, fullBudgetMs: number): GuardedStore {
  const breakers = new Map<string, CircuitBreakerPolicy>()
  /** Errors that say the store is away. A command it answered with a refusal says that it is there. */
  const outages = new WeakSet<object>()

  function breakerFor(key: string): CircuitBreakerPolicy {
    const domain = domainOf(store, key)
    const breaker =
      breakers.get(domain) ??
      circuitBreaker(
        handleWhen((error) => outages.has(error)),
        { breaker: new ConsecutiveBreaker(FAILURES), halfOpenAfter: REST_MS },
      )
    breakers.set(domain, breaker)
    return breaker
  }

  async function command<T>(key: string, send: () => Promise<T>, budgetMs = fullBudgetMs): Promise<T> {
    const breaker = breakerFor(key)
    try {
      // One command tries; the others do not wait for how it went.
      if (breaker.state === CircuitState.HalfOpen) throw leftAlone()
      return await breaker.execute(() => withinBudget(store, send, { budgetMs, fullBudgetMs, outages }))
    } catch (error) {
      throw isBrokenCircuitError(error) ? leftAlone() : error
    }
  }

  return {
    acquire: (key, claim, leaseMs, options, budgetMs) =>
      command(key, () => store.acquire(key, claim, leaseMs, options), Math.min(budgetMs, fullBudgetMs)),
    renew: (key, ...args) => command(key, () => store.renew(key, ...args)),
    complete: (key, ...args) => command(key, () => store.complete(key, ...args)),
    release: (key, ...args) => command(key, () => store.release(key, ...args)),
    end: (key, ...args) => command(key, () => store.end(key, ...args)),
    ending: (key, ...args) => command(key, () => store.ending(key, ...args)),
    read: (key) => command(key, () => store.read(key)),
    replace: (key, ...args) => command(key, () => store.replace(key, ...args)),
    forget: (key) => command(key, () => store.forget(key)),
    // Each is of no use without the other.
    ...(store.append &&
      store.tail && {
        append: (key, ...args) => command(key, () => store.append!(key, ...args)),
        tail: (key, ...args) => command(key, () => store.tail!(key, ...args)),
      }),
    ...(store.report &&
      store.reports && {
        report: (board, ...args) => command(board, () => store.report!(board, ...args)),
        reports: (board) => command(board, () => store.reports!(board)),
      }),
    ...(store.watch && { watch: (...args) => safeWatch(() => store.watch!(...args)) }),
  }
}

/** Whether `error` is a store's failure, on which core fails open. Other errors of idem are the caller's to see. */
export function isStoreError(error: unknown): error is StoreError {
  return isIdemError(error) && error.code === 'IDEM_STORE_ERROR'
}

function domainOf(store: Store, key: string): string {
  try {
    return store.domain?.(key) ?? ''
  } catch {
    return '' // One part, then.
  }
}

function leftAlone(): StoreError {
  return new StoreError('The store failed repeatedly and is left alone for a moment.', { effect: 'none' })
}

/** A watch that cannot be had is one without hints. */
function safeWatch(watch: () => Watch): Watch {
  try {
    return watch()
  } catch (error) {
    return { ready: Promise.reject(error), stop() {} }
  }
}

function withinBudget<T>(
  store: Store,
  send: () => Promise<T>,
  { budgetMs, fullBudgetMs, outages }: { budgetMs: number; fullBudgetMs: number; outages: WeakSet<object> },
): Promise<T> {
  return new Promise((resolve, reject) => {
    let sent = false
    let over = false
    const fail = (cause: unknown) => {
      const error = asStoreError(cause, sent)
      if (isStoreError(error) && (!sent || error.effect === 'unknown')) outages.add(error)
      reject(error)
    }
    const timer = setTimeout(() => {
      // One more turn of the event loop: replies that arrived while this process was busy are read before the store
      // is judged slow.
      setImmediate(() => {
        over = true
        const doing = sent ? 'answer' : 'become ready'
        const error = new StoreError(`The store did not ${doing} within ${Math.round(budgetMs)} ms.`, {
          effect: sent ? 'unknown' : 'none',
        })
        // Too slow for one hasty caller is not away.
        if (budgetMs >= fullBudgetMs) outages.add(error)
        reject(error)
      })
    }, budgetMs)
    const run = async () => {
      await store.ready()
      // A command sent after its caller gave up would take a lock that nobody holds.
      if (over) return undefined as T
      sent = true
      return send()
    }
    run()
      .then(resolve, fail)
      .finally(() => clearTimeout(timer))
  })
}

function asStoreError(error: unknown, sent: boolean): unknown {
  if (isIdemError(error)) return error
  return new StoreError('A store command failed.', { effect: sent ? 'unknown' : 'none', cause: error })
}
