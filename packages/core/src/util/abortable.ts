import { setMaxListeners } from 'node:events'

/**
 * `promise`, or a rejection with the signal's reason, whichever comes first. What `promise` does after an abort is
 * dropped; no listener stays on the signal.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    const stop = onAbort(signal, abort)
    promise.then(
      (value) => {
        stop()
        resolve(value)
      },
      (error) => {
        stop()
        reject(error)
      },
    )
  })
}

/** The waits that the abort of one signal ends. */
interface Waits {
  readonly aborts: Set<() => void>
  readonly listener: () => void
}

/** They share one listener for each signal: a signal looks through all it has for each that is added. */
const waitsOn = new WeakMap<AbortSignal, Waits>()

/** @returns a function that ends the listening */
function onAbort(signal: AbortSignal, abort: () => void): () => void {
  const waits = waitsOn.get(signal) ?? beginWaits(signal)
  waits.aborts.add(abort)
  return () => {
    waits.aborts.delete(abort)
    if (waits.aborts.size > 0) return
    signal.removeEventListener('abort', waits.listener)
    waitsOn.delete(signal)
  }
}

function beginWaits(signal: AbortSignal): Waits {
  const aborts = new Set<() => void>()
  const listener = () => {
    for (const abort of aborts) abort()
  }
  signal.addEventListener('abort', listener)
  const waits = { aborts, listener }
  waitsOn.set(signal, waits)
  return waits
}

/**
 * One signal may end many calls at once. Each takes its listener away again, so there is no leak to warn of. Not 0,
 * which means the same: Node 20 then throws at whoever asks for the number, as undici's own fetch does.
 */
export function allowListeners(signal: AbortSignal): void {
  setMaxListeners(Number.MAX_SAFE_INTEGER, signal)
}
