import { setMaxListeners } from 'node:events'

/**
 * `promise`, or a rejection with the signal's reason, whichever comes first. What `promise` does after an abort is
 * dropped; no listener stays on the signal.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  // One signal may end many calls at once; each takes its listener away again, so there is no leak to warn of.
  setMaxListeners(0, signal)
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
