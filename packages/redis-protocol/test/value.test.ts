import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lockValue, readStanding } from '../src/value.js'

const id = fc.stringMatching(/^[\w-]{1,64}$/)
const claim = fc.record({ owner: id, fingerprint: id })
const bytes = fc.uint8Array({ maxLength: 600 })

/** What complete-1.lua writes. */
function recordValue(owner: string, fingerprint: string, storedAtMs: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`R ${owner} ${fingerprint} ${storedAtMs}\n`), body])
}

describe('a value under a key', () => {
  test('written as a lock reads as that lock', () => {
    fc.assert(
      fc.property(claim, (one) => {
        expect(readStanding(Buffer.from(lockValue(one)))).toEqual({ state: 'locked', ...one })
      }),
    )
  })

  test('written as a record reads as that record, whatever its bytes', () => {
    fc.assert(
      fc.property(claim, fc.nat(), bytes, ({ owner, fingerprint }, storedAtMs, body) => {
        const found = readStanding(recordValue(owner, fingerprint, storedAtMs, body))
        if (found.state !== 'completed') throw new Error(found.state)
        const { bytes: read, ...facts } = found.record
        expect(facts).toEqual({ owner, fingerprint, storedAtMs })
        expect(Buffer.compare(read, body)).toBe(0)
      }),
    )
  })

  test('written as a void lock reads as a lock', () => {
    expect(readStanding(Buffer.from('V owner print'))).toEqual({
      state: 'locked',
      owner: 'owner',
      fingerprint: 'print',
    })
  })

  test('of anything else reads as a record without an owner, with all its bytes', () => {
    fc.assert(
      fc.property(bytes, (any) => {
        const value = Buffer.from(any)
        expect(readStanding(value)).toEqual({
          state: 'completed',
          record: { owner: '', fingerprint: '', storedAtMs: 0, bytes: value },
        })
      }),
    )
  })

  test('that only begins like a lock is not one', () => {
    const long = Buffer.from(`L owner ${'f'.repeat(10_000)}`)
    expect(readStanding(long).state).toBe('completed')
  })
})
