import { describe, test } from 'vitest'
import type { Broken } from './broken/broken.js'
import { failuresOf } from './failures.js'

/** Each store fails the test meant for its mistake, and no others but those listed with a reason. */
export function breaking(stores: readonly Broken[], options: { heavyToo?: boolean } = {}): void {
  describe('a store with one mistake fails the test meant for it, and others only for a reason that is listed', () => {
    for (const broken of stores) {
      const { breaks, fails, alsoFails, mayFail = {} } = broken
      test.concurrent(breaks, { timeout: 180_000, retry: 1 }, async ({ expect }) => {
        const failures = await failuresOf(broken, options)
        expect(failures, 'the meant test').toContain(fails)
        const sure = failures.filter((name) => !(name in mayFail))
        expect(sure, 'every failure, no more and no fewer').toEqual([fails, ...Object.keys(alsoFails)].sort())
      })
    }
  })
}
