import assert from 'node:assert/strict'
import type { Claim, Store } from '@idem/core/store'
import { area } from '../kit.js'
import {
  assertCompleted,
  assertLocked,
  bytesOf,
  inTime,
  LONG_MS,
  letSucceed,
  newClaim,
  newKey,
  newOwner,
  record,
  take,
  takeLapsed,
} from '../tools.js'

/** A key whose first owner let its lease lapse and whose lock a successor has. */
async function succeeded(store: Store): Promise<{ key: string; stale: Claim; successor: Claim }> {
  const [key, stale] = [newKey(), newClaim()]
  const successor = newClaim(stale.fingerprint)
  await letSucceed(store, key, stale, successor)
  return { key, stale, successor }
}

/** Only the owner gives up or extends its lock. */
export const ownership = area('ownership', {
  'a stale owner cannot release the lock of its successor': async ({ open }) => {
    const store = await open()
    const { key, stale, successor } = await succeeded(store)
    assert.equal(await store.release(key, stale.owner), false)
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), successor)
  },

  'a stale owner cannot renew the lock of its successor, and is told that it is lost': async ({ open }) => {
    const store = await open()
    const { key, stale, successor } = await succeeded(store)
    assert.equal(await store.renew(key, stale, LONG_MS), 'lost')
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), successor)
  },

  'a renewal that is lost does not lengthen the lease it met': async ({ open }) => {
    const store = await open()
    await inTime(async (ms) => {
      const [key, stranger] = [newKey(), newClaim()]
      await take(store, key, newClaim(), ms)
      const renewed = await store.renew(key, stranger, LONG_MS)
      if (renewed === 'lost') await takeLapsed(store, key, newClaim())
      return renewed === 'lost'
    })
  },

  'an owner that never held the lock can neither release nor renew it': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    assert.equal(await store.release(key, newOwner()), false)
    assert.equal(await store.renew(key, newClaim(holder.fingerprint), LONG_MS), 'lost')
    assert.equal(await store.renew(key, newClaim(), LONG_MS), 'lost')
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), holder)
  },

  'owners are compared to the letter': async ({ open }) => {
    const store = await open()
    const { fingerprint } = newClaim()
    const [key, owner] = [newKey(), `${newOwner().slice(0, 20)}aB`]
    await take(store, key, { owner, fingerprint })
    const begin = owner.slice(0, 20)
    for (const other of [begin, `${begin}a`, `${begin}ab`, `${begin}AB`, `${begin}aBB`, `${begin}-_`]) {
      assert.equal(await store.release(key, other), false, `${other} released the lock of ${owner}`)
      assert.equal(await store.renew(key, { owner: other, fingerprint }, LONG_MS), 'lost')
    }
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), { owner, fingerprint })
  },

  'a release by the owner frees the key at once': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    assert.equal(await store.release(key, holder.owner), true)
    await take(store, key, newClaim())
  },

  'only the first release gives something up': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    assert.equal(await store.release(key, holder.owner), false)
    await take(store, key, holder)
    assert.equal(await store.release(key, holder.owner), true)
    assert.equal(await store.release(key, holder.owner), false)
  },

  'a release never removes a record, not even one of the same owner': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, bytesOf('the answer'))
    assert.equal(await store.release(key, owner.owner), false)
    assert.equal(await store.release(key, newOwner()), false)
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('the answer'))
  },
})
