import { describe, test } from 'vitest'
import { sampled } from '../../../scripts/exhaustive.mjs'
import { conformanceTests } from '../src/index.js'
import type { Broken } from './broken/broken.js'
import { failuresOf } from './failures.js'

/** Each store fails the test meant for its mistake, and no others but those listed with a reason. */
export function breaking(stores: readonly Broken[], options: { heavyToo?: boolean } = {}): void {
  describe('a store with one mistake fails the test meant for it, and others only for a reason that is listed', () => {
    for (const broken of sampled(stores, areaOf)) {
      const { breaks, fails, alsoFails, mayFail = {} } = broken
      test.concurrent(breaks, { timeout: 600_000 }, async ({ expect }) => {
        const failures = await failuresOf(broken, options)
        expect(failures, 'the meant test').toContain(fails)
        const sure = failures.filter((name) => !(name in mayFail))
        expect(sure, 'every failure, no more and no fewer').toEqual([fails, ...Object.keys(alsoFails)].sort())
      })
    }
  })
}

/** The area of the test that is meant for its mistake. */
function areaOf({ fails }: Broken): string {
  return conformanceTests.find(({ name }) => name === fails)!.area
}
