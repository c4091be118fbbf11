import { describe, expect, test } from 'vitest'
import { conformanceTests } from '../src/index.js'
import { brokenStores } from './broken/index.js'
import { failuresOf } from './failures.js'

describe('a store with one mistake fails the test meant for it, and others only for a reason that is listed', () => {
  for (const broken of brokenStores) {
    const { breaks, fails, alsoFails } = broken
    // Again on a machine that stood still so long that what lapsed too soon was looked at too late.
    test.concurrent(breaks, { timeout: 90_000, retry: 1 }, async ({ expect }) => {
      const failures = await failuresOf(broken)
      expect(failures, 'the meant test').toContain(fails)
      expect(failures, 'every failure, no more and no fewer').toEqual(
        [fails, ...Object.keys(alsoFails)].sort(),
      )
    })
  }
})

test('every test of the kit is failed by some broken store', () => {
  const caught = new Set(brokenStores.flatMap(({ fails, alsoFails }) => [fails, ...Object.keys(alsoFails)]))
  expect(conformanceTests.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([])
})

test('names of tests and mistakes are told once', () => {
  const names = conformanceTests.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  const mistakes = brokenStores.map(({ breaks }) => breaks)
  expect(new Set(mistakes).size).toBe(mistakes.length)
})
