import { randomFillSync } from 'node:crypto'

const BYTES = 16
/** Random bytes for the owners to come: asking the system for each costs more than the rest of a look. */
const pool = Buffer.alloc(256 * BYTES)
let used = pool.length

/** An unguessable id of one execution: 128 random bits, none of which is used twice. */
export function newOwner(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const owner = pool.toString('base64url', used, used + BYTES)
  pool.fill(0, used, used + BYTES)
  used += BYTES
  return owner
}
