import { setTimeout as delay } from 'node:timers/promises'

/** What a promise is for, or an error of `late` where that takes longer than this. */
export function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  const silence = delay(ms, undefined, { ref: false }).then(() => {
    throw late()
  })
  return Promise.race([promise, silence])
}
