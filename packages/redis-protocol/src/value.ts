import type { Claim, Found, StoredRecord } from '@idem/core/store'

/**
 * What stands under a key, told apart by its first byte:
 *
 *     L <owner> <fingerprint>                        a lock
 *     V <owner> <fingerprint>                        a void lock: its completion is not stored
 *     R <owner> <fingerprint> <stored-at>\n<bytes>   a record
 *
 * The Lua files write the same. There is no version here: another form would live under another prefix, so that old
 * and new processes never read each other's values.
 */
export function lockValue({ owner, fingerprint }: Claim): string {
  return `L ${owner} ${fingerprint}`
}

/** Longer than any head: three ids and a time. */
const HEAD_BYTES = 256
const LOCK = /^[LV] (\S+) (\S+)$/
const RECORD = /^R (\S+) (\S+) (\d+)\n/

/** What a value means. */
export function readStanding(value: Buffer): Exclude<Found, { state: 'acquired' }> {
  const [, owner, fingerprint] = value.byteLength < HEAD_BYTES ? (LOCK.exec(head(value)) ?? []) : []
  if (owner && fingerprint) return { state: 'locked', owner, fingerprint }
  return { state: 'completed', record: readRecord(value) }
}

/** The record of a value. A value that is not a record comes whole, under an empty owner. */
export function readRecord(value: Buffer): StoredRecord {
  const [whole, owner, fingerprint, storedAt] = RECORD.exec(head(value)) ?? []
  if (!whole || !owner || !fingerprint) return { owner: '', fingerprint: '', storedAtMs: 0, bytes: value }
  return { owner, fingerprint, storedAtMs: Number(storedAt), bytes: value.subarray(whole.length) }
}

/** As latin1, one character a byte: positions in it are positions in the value. */
function head(value: Buffer): string {
  return value.toString('latin1', 0, HEAD_BYTES)
}
