import { describe, expect, test } from 'vitest'
import type { Dialect } from '../src/dialect.js'
import { Events } from '../src/observe/events.js'
import { httpCodec } from '../src/response/http-codec.js'
import { isStream } from '../src/response/representation.js'

const call = { dialect: {} as Dialect, json: {}, toolCalls: 'share' } as const
const codec = httpCodec(call, 1_000, new Events(console))
const body = new Uint8Array()

describe('a record of an HTTP answer', () => {
  test('gives back status, reason, where a redirect led, and headers', () => {
    const headers = [
      ['a', '1'],
      ['b', '2'],
    ] as const
    const told = {
      status: 200,
      statusText: 'Fine',
      redirectedTo: 'http://there/',
      headers,
      askedStream: false,
    }
    expect(codec.decode({ kind: 'http', facts: told, body })).toEqual({ ...told, body })
    const { statusText: _, redirectedTo: __, ...less } = told
    expect(codec.decode({ kind: 'http', facts: less, body })).toEqual({ ...less, statusText: '', body })
  })

  test.each([
    ['text/event-stream; charset=utf-8', undefined, true],
    ['application/json', undefined, false],
    ['text/plain', true, true],
    ['text/event-stream', false, false],
  ])('of type %s that says of itself whether it is a stream: %s, is one: %s', (type, said, is) => {
    const headers = [['content-type', type]]
    const facts = { status: 200, headers, ...(said !== undefined && { isStream: said }) }
    expect(isStream(codec.decode({ kind: 'http', facts, body }))).toBe(is)
  })

  test.each([
    [{ status: 42, headers: [] }],
    [{ status: '200', headers: [] }],
    [{ status: 200 }],
    [{ status: 200, headers: [1] }],
    [{ status: 200, headers: [['a b', 'x']] }],
    [{ status: 200, headers: [['a', 'x\ny']] }],
    [{ status: 200, headers: [], statusText: 7 }],
    [{ status: 200, headers: [], redirectedTo: 'nowhere' }],
  ])('that no Response could be made of is refused: %j', (facts) => {
    expect(() => codec.decode({ kind: 'http', facts, body })).toThrow()
  })
})
