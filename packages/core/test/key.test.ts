import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createIdem } from '../src/index.js'
import { storeKey } from '../src/key/key.js'

const idem = createIdem()

/** The same JSON value with the members of every object in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, shuffled(member)]),
  )
}

describe('the key of a payload', () => {
  test('does not depend on the order of members', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => idem.digest(value) === idem.digest(shuffled(value))))
  })

  test('is the same exactly when the JSON is the same', () => {
    const sorted = (value: unknown): string =>
      JSON.stringify(value, (_, member) =>
        typeof member === 'object' && member !== null && !Array.isArray(member)
          ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
          : member,
      )
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(idem.digest(a) === idem.digest(b)).toBe(sorted(a) === sorted(b))
      }),
    )
  })

  test('takes a member that is undefined for an absent one, and -0 for 0', () => {
    expect(idem.digest({ a: 1, b: undefined })).toBe(idem.digest({ a: 1 }))
    expect(idem.digest({ a: -0 })).toBe(idem.digest({ a: 0 }))
    expect(idem.digest({ a: null })).not.toBe(idem.digest({}))
  })

  test('is a whole SHA-256, never cut', () => {
    expect(idem.digest({ model: 'm' })).toMatch(/^[\w-]{43}$/)
  })

  test('sorts as RFC 8785 does, by UTF-16 code units', () => {
    // The example of RFC 8785, section 3.2.3: emoji (a surrogate pair) before U+FB33.
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
    const ordered = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']
    const object = (list: string[]) => Object.fromEntries(list.map((name) => [name, 0]))
    expect(idem.digest(object(names))).toBe(idem.digest(object(ordered)))
  })

  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  test.each([
    ['a cycle', cyclic],
    ['a function', { f() {} }],
    ['a symbol', { s: Symbol('s') }],
    ['a bigint', { n: 1n }],
    ['NaN', [Number.NaN]],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a Map, which JSON would show as {}', { m: new Map([[1, 2]]) }],
    ['a Date', { d: new Date(0) }],
    ['a Map behind a -0', [-0, new Map([[1, 2]])]],
    ['a symbol as a name', { [Symbol('s')]: 1 }],
    ['a hole in an array', [undefined]],
    ['undefined', undefined],
    ['a getter that throws', Object.defineProperty({}, 'x', { enumerable: true, get: () => fail('boom') })],
  ])('refuses %s with a typed error', (_, payload) => {
    expect(() => idem.digest(payload)).toThrow(expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' }))
  })
})

describe('the key in the store', () => {
  test('keeps door, scope and key apart whatever they contain', () => {
    const part = fc.string({ unit: 'binary', maxLength: 8 })
    const triple = fc.tuple(part, part, part)
    fc.assert(
      fc.property(triple, triple, (a, b) => {
        expect(storeKey(...a) === storeKey(...b)).toBe(a.every((text, index) => text === b[index]))
      }),
    )
    expect(storeKey('a', 'b:c', 'd')).not.toBe(storeKey('a:b', 'c', 'd'))
  })
})

function fail(message: string): never {
  throw new Error(message)
}
