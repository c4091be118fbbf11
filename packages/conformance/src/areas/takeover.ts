import assert from 'node:assert/strict'
import { area } from '../kit.js'
import {
  assertCompleted,
  assertLocked,
  assertNotEarly,
  atOnce,
  bytesOf,
  inTime,
  LONG_MS,
  letSucceed,
  newClaim,
  newKey,
  now,
  PATIENCE_MS,
  record,
  SHORT_MS,
  sleep,
  take,
  takeLapsed,
} from '../tools.js'

/** A lock whose lease lapsed can be taken over; renewals keep it from lapsing. */
export const takeover = area('takeover', {
  'a lapsed lease can be taken': async ({ open }) => {
    const store = await open()
    await letSucceed(store, newKey(), newClaim(), newClaim())
  },

  'the successor is the owner reported from then on': async ({ open }) => {
    const store = await open()
    const [key, successor] = [newKey(), newClaim()]
    await letSucceed(store, key, newClaim(), successor)
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), successor)
  },

  'the lock of a successor is its own to renew and to release': async ({ open }) => {
    const store = await open()
    const [key, successor] = [newKey(), newClaim()]
    await letSucceed(store, key, newClaim(), successor)
    assert.equal(await store.renew(key, successor, LONG_MS), 'held')
    assert.equal(await store.release(key, successor.owner), true)
  },

  'of fifty that take over a lapsed lease at once one gets it': async ({ open }) => {
    const handles = [await open(), await open()] as const
    const key = newKey()
    await take(handles[0], key, newClaim(), 100)
    await sleep(130)
    const deadline = now() + PATIENCE_MS
    for (;;) {
      const found = await atOnce(50, (index) => handles[index % 2 ? 1 : 0].acquire(key, newClaim(), LONG_MS))
      const winners = found.filter(({ state }) => state === 'acquired').length
      assert.ok(winners <= 1, `${winners} of 50 got the lock`)
      if (winners === 1) return
      assert.ok(now() < deadline, 'the lease never lapsed')
      await sleep(15)
    }
  },

  'a renewed lease is not taken before the renewal lapses': async ({ open }) => {
    const store = await open()
    await inTime(async (ms) => {
      const [key, holder] = [newKey(), newClaim()]
      await take(store, key, holder, ms)
      const renewedAt = now()
      const renewedMs = ms + 3 * SHORT_MS
      if ((await store.renew(key, holder, renewedMs)) !== 'held') return false
      const takenAt = await takeLapsed(store, key, newClaim(), {
        meanwhile: (found) => assertLocked(found, holder),
      })
      assertNotEarly(takenAt, renewedAt, renewedMs)
      return true
    })
  },

  'renew tells the holder that it holds the lock': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    assert.equal(await store.renew(key, holder, LONG_MS), 'held')
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), holder)
  },

  'renew takes an absent key back for its owner, and says so': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    assert.equal(await store.renew(key, owner, LONG_MS), 'retaken')
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), owner)
    assert.equal(await store.renew(key, owner, LONG_MS), 'held')
  },

  'renew takes a lapsed lock back for its owner while nobody else has it': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    const takenAt = now()
    await take(store, key, owner, 100)
    await sleep(250)
    const renewed = await store.renew(key, owner, LONG_MS)
    assert.equal(
      renewed,
      'retaken',
      `a lease of 100 ms was ${renewed} after ${Math.round(now() - takenAt)} ms`,
    )
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), owner)
  },

  'renew tells everyone that the key is completed, and leaves the record': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, bytesOf('the answer'))
    assert.equal(await store.renew(key, owner, LONG_MS), 'completed')
    assert.equal(await store.renew(key, newClaim(owner.fingerprint), LONG_MS), 'completed')
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('the answer'))
  },
})
