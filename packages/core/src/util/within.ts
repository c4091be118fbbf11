import { setTimeout as delay } from 'node:timers/promises'

/** What the promise is for, or undefined after `ms`. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const timer = new AbortController()
  const over = delay(ms, undefined, { signal: timer.signal }).catch(() => undefined)
  try {
    return await Promise.race([promise, over])
  } finally {
    timer.abort()
  }
}
