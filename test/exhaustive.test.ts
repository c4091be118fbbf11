import { expect, test, vi } from 'vitest'
import { sampled, sampleOf } from '../scripts/exhaustive.mjs'

const all = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'b4', 'b5', 'c1', 'c2']
const groupOf = (name: string) => name[0]!

test('a sample has the first of each group, and every fourth', () => {
  expect(sampleOf(all, groupOf)).toEqual(['a1', 'b1', 'b2', 'c1'])
})

test('all run where that is asked for', () => {
  vi.stubEnv('IDEM_TEST_EXHAUSTIVE', '1')
  expect(sampled(all, groupOf)).toEqual(all)
  vi.unstubAllEnvs()
})
