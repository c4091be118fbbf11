import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requestPayload } from '../src/http/request-payload.js'
import { payloadDigest } from '../src/key.js'

const plain = { credential: 'key', streaming: false, isSampled: false, isRetry: false }

/** The key of a request with this text as its body, as a dialect without knowledge of its own would have it. */
function keyOf(text: string, { url = 'http://api/v1', headers = {} } = {}): string {
  const json = JSON.parse(text)
  const identify = (_headers: Headers, body: object) => ({ ...plain, headers, body: { ...body } })
  const request = { url, method: 'POST', headers: new Headers(), body: text }
  return payloadDigest(
    requestPayload(
      request,
      { ...identify(new Headers(), json), json },
      { dialect: { identify }, ignore: [] },
    ),
  )
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
  ])('takes %s and %s for the same, or apart where digits might be lost', (one, other) => {
    const [a, b] = [keyOf(`{"a":${one}}`), keyOf(`{"a":${other}}`)]
    expect(a === b).toBe(other.length < 20)
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
