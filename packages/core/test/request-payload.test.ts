import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PIECE } from '../src/key/json-steps.js'
import { payloadDigest } from '../src/key/key.js'
import { readSteps, requestPayload } from '../src/key/request-payload.js'
import { atOnce } from '../src/key/steps.js'
import type { JsonObject } from '../src/util/json.js'

const dialect = {
  identify: (body: JsonObject) => ({ body: { ...body }, streaming: false, isSampled: false }),
  credentialHeaders: ['authorization'],
}
const rules = { dialect, ignoreBodyFields: [], ignoreHeaders: [], scopeHeaders: [] }

/** The key of a request with this text as its body, as a dialect without knowledge of its own would have it. */
function keyOf(
  text: string,
  { url = 'http://api/v1', method = 'POST', headers = {}, ignoreBodyFields = [] as string[] } = {},
): string {
  const read = atOnce(readSteps(text))
  const request = { url, method, headers: new Headers(headers), body: text }
  const identity = { ...dialect.identify(read.json), ...read }
  return payloadDigest(atOnce(requestPayload(request, identity, { ...rules, ignoreBodyFields })))
}

const members = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })

describe('the key of a request', () => {
  test('does not depend on the order of its members, at any depth', () => {
    fc.assert(
      fc.property(members, (body) => {
        expect(keyOf(JSON.stringify(reversed(body)))).toBe(keyOf(JSON.stringify(body)))
      }),
    )
  })

  test('does not depend on spaces between its tokens, nor on how characters are escaped', () => {
    fc.assert(
      fc.property(members, (body) => {
        const key = keyOf(JSON.stringify(body))
        expect(keyOf(JSON.stringify(body, null, '\t'))).toBe(key)
        expect(keyOf(escaped(JSON.stringify(body)))).toBe(key)
      }),
    )
  })

  test('does not depend on spaces in a body that is read in pieces, and tells its numbers apart', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{18,30}$/)
    const texts = fc.constantFrom('"\\u0000"', '"\\u0000\\u0000a"', '"\\\\"', '"a"')
    const rest = fc.array(fc.oneof(digits, texts, fc.constant('[1,2]')), {
      minLength: 3_000,
      maxLength: 3_010,
    })
    fc.assert(
      fc.property(digits, rest, ([...number], all) => {
        const body = (between: string) =>
          `{${between}"n":${number.join('')},${between}"\\u0000":[${all.join(`,${between}`)}${between}]}`
        const key = keyOf(body(''))
        expect(body('').length).toBeGreaterThan(PIECE)
        expect(keyOf(body('\n\t  '))).toBe(key)
        number[number.length - 1] = number.at(-1) === '7' ? '8' : '7'
        expect(keyOf(body(''))).not.toBe(key)
      }),
      { numRuns: 20 },
    )
  })

  test('is another one for every other body', () => {
    fc.assert(
      fc.property(members, members, (one, other) => {
        const areSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
        expect(keyOf(JSON.stringify(one)) === keyOf(JSON.stringify(other))).toBe(areSame)
      }),
    )
  })

  test('is another one when any leaf is another, or gone, or when something is added', () => {
    fc.assert(
      fc.property(members, fc.string(), (body, name) => {
        const key = keyOf(JSON.stringify(body))
        for (const change of changes(body)) expect(keyOf(JSON.stringify(change))).not.toBe(key)
        if (!Object.hasOwn(body, name)) expect(keyOf(JSON.stringify({ ...body, [name]: null }))).not.toBe(key)
      }),
    )
  })

  test.each([
    ['an accent of its own and a letter with one', '"e\u0301"', '"é"'],
    ['a space and a no-break space', '"a b"', '"a\u00a0b"'],
    ['text with and without a space at its end', '"a "', '"a"'],
    ['a number and a string of it', '1', '"1"'],
    ['null and a member that is not there', 'null', undefined],
    ['false and null', 'false', 'null'],
    ['an empty list and an empty object', '[]', '{}'],
    ['two lone surrogates', '"\\ud800"', '"\\ud801"'],
    ['long numbers that would be rounded to the same', '9007199254740992', '9007199254740993'],
    [
      'long numbers that change places',
      '[9007199254740993,9007199254740992]',
      '[9007199254740992,9007199254740993]',
    ],
    ['a long number and a string of it', '9007199254740993', '"9007199254740993"'],
    ['fractions that would be rounded to the same', '0.12345678901234567', '0.12345678901234568'],
    [
      'a long number and a text that looks like its mark',
      '12345678901234567890',
      '"\\u000012345678901234567890"',
    ],
    ['a text that begins with NUL and one with two', '"\\u00001"', '"\\u0000\\u00001"'],
    ['a number too small for a double and 0', '1e-400', '0'],
    ['two numbers too small for a double', '1e-400', '2e-400'],
    ['two numbers at the edge of a double', '4e-324', '5e-324'],
    ['two numbers too large for a double', '1e400', '1e401'],
    ['a number too large for a double and the text of one', '1e400', '"Infinity"'],
  ])('tells %s apart', (_, one, other) => {
    const body = (value: string | undefined) => (value === undefined ? '{}' : `{"a":${value}}`)
    expect(keyOf(body(one))).not.toBe(keyOf(body(other)))
  })

  test.each([
    ['1', '1.0'],
    ['-0', '0'],
    ['1e21', '1000000000000000000000'],
    ['100', '1e2'],
    ['"é"', '"\\u00e9"'],
    ['1.50', '15e-1'],
    ['0e7', '0'],
  ])('takes %s and %s for the same', (one, other) => {
    expect(keyOf(`{"a":${one}}`)).toBe(keyOf(`{"a":${other}}`))
  })

  test('is the same for two numbers exactly when they are the same number', () => {
    // The oracle: a number as a whole one and an exponent, by BigInt alone.
    const exact = (literal: string) => {
      const [, sign, whole, fraction = '', exponent = '0'] =
        /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal)!
      const shift = BigInt(exponent) - BigInt(fraction.length) + 800n
      return BigInt(`${sign}${whole}${fraction}`) * 10n ** shift
    }
    const digits = fc.stringMatching(/^[0-9]{1,22}$/)
    const number = fc
      .tuple(
        fc.constantFrom('', '-'),
        digits,
        fc.option(digits),
        fc.option(fc.integer({ min: -420, max: 420 })),
      )
      .map(([sign, whole, fraction, exponent]) => {
        const point = fraction === null ? '' : `.${fraction}`
        const power = exponent === null ? '' : `e${exponent}`
        return `${sign}${whole.replace(/^0+(?=\d)/, '')}${point}${power}`
      })
    // Also numbers so close that a double cannot tell them apart.
    const pair = fc.oneof(
      fc.tuple(number, number),
      fc.tuple(number, fc.constantFrom('0', '1', '9')).map(([one, more]): [string, string] => {
        return [one, one.replace(/(?=e|$)/, one.includes('.') ? more : `.${more}`)]
      }),
    )
    fc.assert(
      fc.property(pair, ([one, other]) => {
        const same = keyOf(`{"a":${one}}`) === keyOf(`{"a":${other}}`)
        if (exact(one) !== exact(other)) expect(same).toBe(false)
        // As numbers of JavaScript they are equal, and nothing was lost.
        else if (JSON.stringify(Number(one)) === JSON.stringify(Number(other)) && isKept(one))
          expect(same).toBe(true)
      }),
      { numRuns: 2_000 },
    )
    function isKept(literal: string) {
      return Number.isFinite(Number(literal)) && exact(plain(Number(literal))) === exact(literal)
    }
    function plain(value: number) {
      return String(value).replace('e+', 'e')
    }
  })

  test('is never the same for a number and a text, whatever the text', () => {
    const literal = fc.stringMatching(/^[1-9][0-9]{0,25}(e-?[0-9]{1,3})?$/)
    const text = fc
      .oneof(fc.string({ unit: 'binary' }), literal)
      .chain((end) =>
        fc.constantFrom('', '\u0000', '\u0000\u0000', '\u0000number ', '"').map((start) => start + end),
      )
    fc.assert(
      fc.property(literal, text, literal, (one, other, beside) => {
        const [a, b] = [
          `{"a":${one},"b":${JSON.stringify(other)}}`,
          `{"a":${JSON.stringify(other)},"b":${one}}`,
        ]
        expect(keyOf(a)).not.toBe(keyOf(b))
        // Also if another number makes all of the body be read by its digits.
        const more = `,"c":${beside}000000000000000001}`
        expect(keyOf(`${a.slice(0, -1)}${more}`)).not.toBe(
          keyOf(`{"a":${JSON.stringify(`\u0000${one}`)},"b":${JSON.stringify(other)}${more}`),
        )
      }),
      { numRuns: 1_000 },
    )
  })

  test('does not depend on the order of members that hold long numbers', () => {
    expect(keyOf('{"a":12345678901234567890,"b":1}')).toBe(keyOf('{ "b": 1, "a": 12345678901234567890 }'))
    const [one, other] = ['1234567890123456789', '1234567890123456788']
    expect(keyOf(`{"a":${one},"b":${other}}`)).not.toBe(keyOf(`{"b":${one},"a":${other}}`))
    expect(keyOf('{"a":0.30000000000000004,"b":1}')).toBe(keyOf('{"b":1,"a":0.30000000000000004}'))
  })

  test.each([
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"b":{"a":1,"a":2}}', '{"b":{"a":2}}'],
    ['{"b":[{"a":1,"\\u0061":2}]}', '{"b":[{"a":2}]}'],
    ['{"a":1,"a":2}', '{"a":0,"a":2}'],
    ['{"a":{},"a":{"b":1}}', '{"a":{"b":1}}'],
  ])('does not take %s, where a name comes twice, for %s', (one, other) => {
    expect(keyOf(one)).not.toBe(keyOf(other))
  })

  test('is not fooled by text that looks like members', () => {
    const tricky = JSON.stringify({ a: '"b": "c": {"d": 1}', 'e": "': 'f\\', '\\"': [':', '"'] })
    expect(keyOf(JSON.stringify(JSON.parse(tricky), null, 2))).toBe(keyOf(tricky))
  })

  test('is made of bodies as large as the API takes', () => {
    const escapes = `{"a":"${'\\n'.repeat(5_000_000)}","b":"${'x'.repeat(20_000_000)}"}`
    expect(keyOf(`${escapes} `)).toBe(keyOf(escapes))
  })

  test('does not depend on how the same URL is written, nor on its fragment', () => {
    const urls = [
      'http://api/v1',
      'http://API:80/v1',
      'http://api/x/../v1',
      'http://api/v1#a',
      'http://api/v1#b',
    ]
    expect(new Set(urls.map((url) => keyOf('{}', { url }))).size).toBe(1)
    for (const url of [
      'http://api/V1',
      'http://api/v1/',
      'http://api/v1?',
      'http://u:p@api/v1',
      'https://api/v1',
    ]) {
      expect(keyOf('{}', { url }) === keyOf('{}'), url).toBe(false)
    }
  })

  test('depends on the method', () => {
    expect(keyOf('{}', { method: 'PUT' })).not.toBe(keyOf('{}'))
  })

  test('tells a lone surrogate, which is sent as another character, from an escaped one', () => {
    expect(keyOf('{"a":"\ud800"}')).not.toBe(keyOf('{"a":"\\ud800"}'))
    expect(keyOf('{"a":"\ud800"}')).not.toBe(keyOf('{"a":"\ufffd"}'))
  })

  test('does not depend on the numbers of members that are ignored', () => {
    const ignoreBodyFields = ['m']
    expect(keyOf('{"m":12345678901234567890,"a":1}', { ignoreBodyFields })).toBe(
      keyOf('{"m":1,"a":1}', { ignoreBodyFields }),
    )
    const [one, other] = [
      '{"m":12345678901234567890,"a":12345678901234567890}',
      '{"m":1,"a":12345678901234567891}',
    ]
    expect(keyOf(one, { ignoreBodyFields })).not.toBe(keyOf(other, { ignoreBodyFields }))
  })

  test('depends on where the request goes and on the headers that count', () => {
    const key = keyOf('{}')
    expect(keyOf('{}', { url: 'http://api/v1?beta=true' })).not.toBe(key)
    expect(keyOf('{}', { headers: { version: '2' } })).not.toBe(key)
  })
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  )
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  // As the digest does: JSON has no -0.
  if (typeof value === 'number') return value === 0 ? 0 : value
  if (typeof value !== 'object' || value === null) return value
  const names = Object.keys(value).sort()
  return names.map((name) => [name, sorted((value as Record<string, unknown>)[name])]).concat([['an object']])
}

/** Characters of strings as \u escapes. */
function escaped(text: string): string {
  return text.replaceAll(/[\u0080-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The value with one of its leaves changed, or one of its members taken out. */
function* changes(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) {
    yield value === 'changed' ? 'changed again' : 'changed'
    return
  }
  for (const [name, member] of Object.entries(value)) {
    for (const change of changes(member)) {
      if (Array.isArray(value)) yield value.with(Number(name), change)
      else yield { ...value, [name]: change }
    }
    if (!Array.isArray(value)) {
      const { [name]: _, ...rest } = value as Record<string, unknown>
      yield rest
    }
  }
}
