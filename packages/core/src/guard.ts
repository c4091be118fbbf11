import {
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel'
import { isIdemError } from './errors/idem-error.js'
import { StoreError } from './errors/store-error.js'
import type { Store } from './store.js'

/** Failures in a row after which the store is left alone, and for how long before one command tries it again. */
const FAILURES = 3
const REST_MS = 1_000

/**
 * The store as core uses it: every command has a time budget, and a store (or the part of it that answers for a key)
 * that keeps failing is left alone for a while. Whatever goes wrong, also in a store with a bug, arrives as a StoreError.
 */
export function guarded(store: Store, budgetMs: number): Store {
  const breakers = new Map<string, CircuitBreakerPolicy>()
  const breakerFor = (key: string) => {
    const domain = store.domain?.(key) ?? ''
    const breaker = breakers.get(domain) ?? newBreaker()
    breakers.set(domain, breaker)
    return breaker
  }

  async function command<T>(key: string, send: () => Promise<T>): Promise<T> {
    try {
      return await breakerFor(key).execute(() => withinBudget(store, send, budgetMs))
    } catch (error) {
      if (!isBrokenCircuitError(error)) throw error
      throw new StoreError('The store failed repeatedly and is left alone for a moment.', { effect: 'none' })
    }
  }

  return {
    acquire: (key, ...args) => command(key, () => store.acquire(key, ...args)),
    renew: (key, ...args) => command(key, () => store.renew(key, ...args)),
    complete: (key, ...args) => command(key, () => store.complete(key, ...args)),
    release: (key, ...args) => command(key, () => store.release(key, ...args)),
    end: (key, ...args) => command(key, () => store.end(key, ...args)),
    ending: (key, ...args) => command(key, () => store.ending(key, ...args)),
    read: (key) => command(key, () => store.read(key)),
    replace: (key, ...args) => command(key, () => store.replace(key, ...args)),
    forget: (key) => command(key, () => store.forget(key)),
    ...(store.watch && { watch: (key, listener) => store.watch!(key, listener) }),
    ready: () => store.ready(),
    close: () => store.close(),
  }
}

function newBreaker(): CircuitBreakerPolicy {
  return circuitBreaker(handleWhen(isStoreError), {
    breaker: new ConsecutiveBreaker(FAILURES),
    halfOpenAfter: REST_MS,
  })
}

/** Whether `error` is a store's failure, on which core fails open. Other errors of idem are the caller's to see. */
export function isStoreError(error: unknown): error is StoreError {
  return isIdemError(error) && error.code === 'IDEM_STORE_ERROR'
}

function withinBudget<T>(store: Store, send: () => Promise<T>, budgetMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let sent = false
    let over = false
    const fail = (error: unknown) => reject(asStoreError(error, sent))
    const timer = setTimeout(() => {
      // One more turn of the event loop: replies that arrived while this process was busy are read before the store
      // is judged slow.
      setImmediate(() => {
        over = true
        const doing = sent ? 'answer' : 'become ready'
        reject(
          new StoreError(`The store did not ${doing} within ${budgetMs} ms.`, {
            effect: sent ? 'unknown' : 'none',
          }),
        )
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
