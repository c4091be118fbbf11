import assert from 'node:assert/strict'
import type { Store } from '@idem/core/store'
import { assertBytes, eventually } from './tools.js'

/** The board has these reports and no others, in any order. */
export async function assertReports(
  store: Store,
  board: string,
  expected: readonly Uint8Array[],
): Promise<void> {
  assertSame(await store.reports!(board), expected)
}

/** These reports and no others, in any order. */
export function assertSame(found: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  assert.equal(found.length, expected.length, `${found.length} reports instead of ${expected.length}`)
  const sorted = found.toSorted(Buffer.compare)
  for (const [index, each] of expected.toSorted(Buffer.compare).entries()) assertBytes(sorted[index], each)
}

/** Looks until the board is gone; until then it has all of these reports. */
export async function untilGone(store: Store, board: string, expected: readonly Uint8Array[]): Promise<void> {
  await eventually('the board is still there', async () => {
    const found = await store.reports!(board)
    if (found.length === 0) return true
    assertSame(found, expected)
    return undefined
  })
}
