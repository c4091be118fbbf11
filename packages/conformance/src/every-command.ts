import assert from 'node:assert/strict'
import type { StoreError } from '@idem/core'
import type { Store } from '@idem/core/store'
import { bytesOf, eventually, LONG_MS, newClaim, newKey, writeOver } from './tools.js'

export const ANSWER = bytesOf('the answer')
/** How long a client may take to connect again, or a command to give up. */
export const RECONNECT_MS = 6_000

/** Every command, on keys of its own. */
export function commands(store: Store): (() => Promise<unknown>)[] {
  const [key, claim] = [newKey(), newClaim()]
  return [
    () => store.acquire(key, claim, LONG_MS),
    () => store.renew(newKey(), claim, LONG_MS),
    () => store.complete(newKey(), claim, ANSWER, LONG_MS),
    () => writeOver(store, newKey(), claim, ANSWER, LONG_MS),
    () => store.release(newKey(), claim.owner),
    () => store.forget(newKey()),
    () => store.read(newKey()),
    () => store.leaveNote(newKey(), claim.owner, ANSWER, LONG_MS),
    () => store.readNote(newKey(), claim.owner),
    ...(store.append ? [() => store.append!(newKey(), claim.owner, 0, ANSWER, LONG_MS)] : []),
    ...(store.tail ? [() => store.tail!(newKey(), claim.owner, 0)] : []),
    ...(store.report ? [() => store.report!(newKey(), claim.owner, ANSWER, LONG_MS)] : []),
    ...(store.reports ? [() => store.reports!(newKey())] : []),
  ]
}

/** A command ends in time: with an answer, or with a StoreError and nothing else. */
export async function ends(command: Promise<unknown>): Promise<void> {
  let ended = false
  const ending = command.then(
    () => {
      ended = true
    },
    (error: StoreError) => {
      ended = true
      assert.equal(error?.code, 'IDEM_STORE_ERROR', `a command failed with what is no StoreError: ${error}`)
      assert.ok(['none', 'unknown', 'done'].includes(error.effect), `its effect is ${error.effect}`)
    },
  )
  ending.catch(() => {}) // Awaited below; another command may fail first.
  await eventually('a command never ended', async () => ended || undefined, RECONNECT_MS)
  await ending
}
