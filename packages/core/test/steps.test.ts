import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestSteps } from '../src/key/digest-steps.js'
import { PIECE, parseSteps } from '../src/key/json-steps.js'
import { payloadDigest } from '../src/key/key.js'
import { readSteps } from '../src/key/request-payload.js'
import { atOnce, inTurns, type Steps } from '../src/key/steps.js'

const NAMES = [
  '',
  'a',
  'b',
  '__proto__',
  'constructor',
  '1',
  'toString',
  '\u{1f600}',
  '\ud800',
  '"',
  '\\',
  'x'.repeat(40),
]
const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: 'binary' }))
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    fc.constantFrom(null, true, false, 0, -1, 1.5, 1e21, 5e-324, '', '\\', '"', ',', ']', '}', '{"a":[1,"'),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(tie('value'), { maxLength: 12 }),
    fc.array(fc.integer(), { maxLength: 60 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 8 }).map((members) => {
      const object = Object.create(null)
      for (const [key, member] of members) object[key] = member
      return object
    }),
  ),
}))
const space = fc.constantFrom('', ' ', '\n\t', '  ')

/** The text of a value, with the same space around each of its tokens outside of strings. */
function spaced(json: string, between: string): string {
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]/g, (token) => `${between}${token}${between}`)
}

const text = fc.tuple(value, space).map(([one, between]) => spaced(JSON.stringify(one), between))
/** A text that is JSON, or nearly so: some of it is cut out, doubled or exchanged. */
const nearly = fc
  .tuple(
    text,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom('', '"', '[', ']', '{', '}', ',', ':', '\\', ' ', '1', '\u0001', 'null'),
      ),
      { maxLength: 3 },
    ),
  )
  .map(([json, edits]) => {
    let edited = json
    for (const [at, by] of edits) {
      const where = at % (edited.length + 1)
      edited = edited.slice(0, where) + by + edited.slice(where + (at % 2))
    }
    return edited
  })

/** What comes of it: the value and the order of its members, or that it is refused. */
function outcome(read: () => unknown): unknown {
  try {
    return JSON.stringify(read())
  } catch {
    return 'refused'
  }
}

describe('JSON that is read in steps', () => {
  const reader = { read: (inner: string, open: string, close: string) => JSON.parse(open + inner + close) }
  const piece = fc.constantFrom(8, 9, 11, 16, 64, 1_000)

  test('is what JSON.parse makes of it, or is refused where that refuses it', () => {
    fc.assert(
      fc.property(fc.oneof(text, nearly), piece, (json, size) => {
        const stepped = outcome(() => atOnce(parseSteps(json, reader, size)))
        expect(stepped).toBe(outcome(() => JSON.parse(json)))
      }),
      { numRuns: 4_000 },
    )
  })

  test('has the same names twice and the same rounded numbers, however small the pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, text), { maxLength: 8 }),
        fc.boolean(),
        piece,
        (members, isRisky, size) => {
          const body = members.map(([key, json]) => `${JSON.stringify(key)}:${json}`)
          if (isRisky) body.push('"n":[1,12345678901234567890123]')
          const json = `{${body.join(',')}}`
          expect(atOnce(readSteps(json, size))).toEqual(atOnce(readSteps(json, 1e9)))
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

test('a digest that is made in steps is the one that is made at once, for whatever is large in it', () => {
  const large = fc.oneof(
    fc.array(value, { minLength: 3_000, maxLength: 3_100, size: 'max' }),
    fc
      .tuple(fc.constantFrom('a', '\u{1f600}', '\ud800', '"\\\n'), fc.integer({ min: 30_000, max: 70_000 }))
      .map(([one, times]) => one.repeat(times)),
    fc
      .integer({ min: 1, max: 5_000 })
      .map((count) =>
        Object.fromEntries(Array.from({ length: count }, (_, n) => [`${(n * 7919) % 10_007}`, n])),
      ),
  )
  fc.assert(
    fc.property(
      fc.oneof(value, fc.tuple(value, large), fc.record({ b: large, a: value, '\u{1f600}': value })),
      (payload) => {
        expect(atOnce(digestSteps(payload))).toBe(payloadDigest(payload))
      },
    ),
    { numRuns: 100 },
  )
})

test.each([
  ['a Date', { at: new Date(0) }],
  ['a Map among many', Array.from({ length: 5_000 }, (_, n) => (n === 4_000 ? new Map() : n))],
  ['a hole', Array.from({ length: 5_000 }, (_, n) => (n === 4_000 ? undefined : n))],
])('%s in a payload is refused', (_, payload) => {
  expect(() => atOnce(digestSteps(payload))).toThrow()
})

/** Bodies of 25 MB, each hard in its own way. */
const size = 25_000_000
const bodies: [what: string, make: () => string][] = [
  ['numbers', () => `{"input":[${'12,'.repeat(size / 3)}1]}`],
  ['short texts', () => `{"input":[${'"ab",'.repeat(size / 5)}""]}`],
  [
    'messages',
    () => `{"messages":[${'{"role":"user","content":"Hello, how are you?"},'.repeat(size / 48)}{}]}`,
  ],
  ['prose', () => `{"content":${JSON.stringify('The quick "brown" fox.\n'.repeat(size / 25))}}`],
  ['one word without an end', () => `{"content":"${'a'.repeat(size)}"}`],
]

test.each(bodies)(
  'a body of 25 MB of %s is read and digested in many short steps, as it is at once',
  {
    timeout: 120_000,
  },
  async (_, make) => {
    const body = make()
    let steps = 0
    function* counted<T>(inner: Steps<T>): Steps<T> {
      for (;;) {
        const { done, value } = inner.next()
        steps++
        if (done) return value
        yield
      }
    }
    let longest = 0
    const read = (inner: string, open: string, close: string) => {
      longest = Math.max(longest, inner.length)
      return JSON.parse(open + inner + close)
    }
    const json = await inTurns(counted(parseSteps(body, { read })))
    expect(longest).toBeLessThanOrEqual(PIECE + 2)
    expect(steps).toBeGreaterThanOrEqual(body.length / PIECE)
    steps = 0
    const digest = await inTurns(counted(digestSteps(json)))
    expect(steps).toBeGreaterThanOrEqual(body.length / PIECE / 3)
    expect(digest).toBe(payloadDigest(JSON.parse(body)))
  },
)
