import { describe, expect, test } from 'vitest'
import { Events } from '../src/events.js'
import { httpCodec } from '../src/http/http-codec.js'
import type { Dialect } from '../src/index.js'

const call = { dialect: {} as Dialect, json: {}, toolCalls: 'share' } as const
const codec = httpCodec(call, 1_000, new Events(console))
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
