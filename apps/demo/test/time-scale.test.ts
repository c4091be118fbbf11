import fc from 'fast-check'
import { expect, test } from 'vitest'
import { timeScale } from '../page/time-scale.js'

const time = fc.integer({ min: 0, max: 100_000 })
const spans = fc.array(
  fc.tuple(time, fc.integer({ min: 1, max: 5_000 })).map(([from, ms]) => ({ from, to: from + ms })),
  { minLength: 1, maxLength: 40 },
)

test('every time has a place from 0 to 1, and a later one is never further left', () => {
  fc.assert(
    fc.property(spans, fc.array(time, { minLength: 2 }), (some, times) => {
      const { at } = timeScale(some)
      const places = [...times].sort((a, b) => a - b).map(at)
      for (const [index, place] of places.entries()) {
        expect(place).toBeGreaterThanOrEqual(places[index - 1] ?? 0)
        expect(place).toBeLessThanOrEqual(1 + 1e-9)
      }
    }),
  )
})

test('what lasted goes from the left end to the right one, and a longer quiet is told where it was', () => {
  fc.assert(
    fc.property(spans, (some) => {
      const { at, cuts } = timeScale(some)
      const [first, last] = [Math.min(...some.map(({ from }) => from)), Math.max(...some.map(({ to }) => to))]
      expect(at(first)).toBe(0)
      if (last > first) expect(at(last)).toBeCloseTo(1)
      for (const { at: place, ms } of cuts) {
        expect(ms).toBeGreaterThan(400)
        // No event lies on the cut.
        for (const { from, to } of some) expect(at(from) > place || at(to) < place).toBe(true)
      }
    }),
  )
})

test('an answer that took a moment can be seen beside a call that took long', () => {
  const { at, cuts } = timeScale([
    { from: 0, to: 4_000 },
    { from: 60_000, to: 60_003 },
  ])
  expect(at(60_003) - at(60_000)).toBeGreaterThan(0.05)
  expect(cuts).toEqual([{ at: expect.closeTo(0.93, 1), ms: 56_000 }])
})
