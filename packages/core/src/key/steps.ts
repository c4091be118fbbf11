import { setImmediate as turn } from 'node:timers/promises'

/** How long a step may take before others get their turn, ms. */
const STEP_MS = 10

/** Work in steps that take a few ms each at most; each `yield` is a place where it can rest. */
export type Steps<T> = Generator<void, T, void>

/** All of it at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** All of it, with a turn of the event loop for others now and then. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  let from = performance.now()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (performance.now() - from < STEP_MS) continue
    await turn()
    from = performance.now()
  }
}
