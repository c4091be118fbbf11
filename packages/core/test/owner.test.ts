import { expect, test } from 'vitest'
import { newOwner } from '../src/store/owner.js'

test('owners are 128 random bits each, and no two are the same', () => {
  const owners = Array.from({ length: 10_000 }, newOwner)
  for (const owner of owners) expect(Buffer.from(owner, 'base64url')).toHaveLength(16)
  expect(new Set(owners).size).toBe(owners.length)
  // Bits that were not drawn anew would be zeros: of all owners, about half of the bits are set.
  const ones = owners.reduce((sum, owner) => sum + countOnes(Buffer.from(owner, 'base64url')), 0)
  expect(ones / (owners.length * 128)).toBeGreaterThan(0.49)
  expect(ones / (owners.length * 128)).toBeLessThan(0.51)
})

function countOnes(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
}
