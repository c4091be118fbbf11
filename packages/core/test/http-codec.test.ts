import { describe, expect, test } from 'vitest'
import { httpCodec } from '../src/http/http-codec.js'
import type { Dialect, HttpRequest } from '../src/index.js'

const codec = httpCodec({} as Dialect, {} as HttpRequest, 1_000, () => {})
const body = new Uint8Array()

describe('a record of an HTTP answer', () => {
  test('gives back status and headers', () => {
    const headers = [
      ['a', '1'],
      ['b', '2'],
    ] as const
    expect(codec.decode({ kind: 'http', facts: { status: 200, headers }, body })).toEqual({
      status: 200,
      headers,
      askedStream: false,
      body,
    })
  })

  test.each([
    [{ status: 42, headers: [] }],
    [{ status: '200', headers: [] }],
    [{ status: 200 }],
    [{ status: 200, headers: [1] }],
    [{ status: 200, headers: [['a b', 'x']] }],
    [{ status: 200, headers: [['a', 'x\ny']] }],
  ])('that no Response could be made of is none: %j', (facts) => {
    expect(() => codec.decode({ kind: 'http', facts, body })).toThrow()
  })
})
