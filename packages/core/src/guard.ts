import { ConsecutiveBreaker, circuitBreaker, handleWhen, isBrokenCircuitError } from 'cockatiel'
import { isIdemError } from './errors/idem-error.js'
import { StoreError } from './errors/store-error.js'
import type { Store } from './store.js'

/** Failures in a row after which the store is left alone, and for how long before one command tries it again. */
const FAILURES = 3
const REST_MS = 1_000

/**
 * The store as core uses it: every command has a time budget, and a store that keeps failing is left alone for a
 * while. Whatever goes wrong, also in a store with a bug, arrives as a StoreError.
 */
export function guarded(store: Store, budgetMs: number): Store {
  const breaker = circuitBreaker(handleWhen(isStoreError), {
    breaker: new ConsecutiveBreaker(FAILURES),
    halfOpenAfter: REST_MS,
  })

  async function command<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await breaker.execute(() => withinBudget(store, send, budgetMs))
    } catch (error) {
      if (!isBrokenCircuitError(error)) throw error
      throw new StoreError('The store failed repeatedly and is left alone for a moment.', { effect: 'none' })
    }
  }

  return {
    acquire: (...args) => command(() => store.acquire(...args)),
    renew: (...args) => command(() => store.renew(...args)),
    complete: (...args) => command(() => store.complete(...args)),
    release: (...args) => command(() => store.release(...args)),
    end: (...args) => command(() => store.end(...args)),
    ending: (...args) => command(() => store.ending(...args)),
    ...(store.watch && { watch: (key, listener) => store.watch!(key, listener) }),
    ready: () => store.ready(),
    close: () => store.close(),
  }
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
