import { setTimeout as delay } from 'node:timers/promises'

/** The value of a promise, or the error of `late` if it takes longer than this. */
export function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  const silence = delay(ms, undefined, { ref: false }).then(() => {
    throw late()
  })
  return Promise.race([promise, silence])
}
