import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import type { Idem } from '@idem/core'
import { expect, vi } from 'vitest'

/** Keeps each idem calling a hot key and others, until it is stopped. */
export function traffic(idems: readonly Idem[]) {
  const executions = new Map<string, number>()
  let isOver = false
  let calls = 0
  const ask = async (idem: Idem, key: string, ms: number) => {
    await idem.run(key, async () => {
      executions.set(key, (executions.get(key) ?? 0) + 1)
      await delay(ms)
      return key
    })
    calls++
    // An answer that waits for the store comes from memory at once: without this turn of the event loop nothing else
    // would run.
    await turn()
  }
  const lanes = idems.flatMap((idem) => [
    (async () => {
      while (!isOver) await ask(idem, 'hot', 300)
    })(),
    ...Array.from({ length: 6 }, async (_, lane) => {
      for (let index = 0; !isOver; index++) await ask(idem, `${lane} ${index}`, 60)
    }),
  ])
  return {
    /** How often each key was executed. */
    executions,
    /** Resolves when this many more calls have ended. */
    async more(count: number) {
      const until = calls + count
      await vi.waitFor(() => expect(calls).toBeGreaterThan(until), { timeout: 30_000 })
    },
    async end() {
      isOver = true
      await Promise.all(lanes)
    },
  }
}
