import assert from 'node:assert/strict'
import { area } from '../kit.js'
import {
  assertBytes,
  assertCompleted,
  assertLocked,
  assertNotEarly,
  bytesOf,
  inTime,
  LIFE_MS,
  LONG_MS,
  newClaim,
  newKey,
  newOwner,
  now,
  PATIENCE_MS,
  record,
  SHORT_MS,
  settle,
  sleep,
  take,
  takeLapsed,
} from '../tools.js'

const ANSWER = bytesOf('the answer')

/** Everything lives exactly as long as it was given, by its own clock. */
export const expiry = area('expiry', {
  'a lock is held for its lease and lapses after it': async ({ open }) => {
    const store = await open()
    const [key, holder, since] = [newKey(), newClaim(), now()]
    await take(store, key, holder, LIFE_MS)
    const lapsedAt = await takeLapsed(store, key, newClaim(), {
      meanwhile: (found) => assertLocked(found, holder),
    })
    assertNotEarly(lapsedAt, since, LIFE_MS)
  },

  'a lapsed lock is no longer there for its owner to release': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder, 100)
    await sleep(250)
    assert.equal(await store.release(key, holder.owner), false)
  },

  'renewals count from now and do not add up': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder, SHORT_MS)
    for (let renewals = 0; renewals < 20; renewals++) await store.renew(key, holder, SHORT_MS)
    await sleep(SHORT_MS + 30)
    await takeLapsed(store, key, newClaim())
  },

  'a lock taken back by renew lapses like any other': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    assert.equal(await store.renew(key, owner, SHORT_MS), 'retaken')
    await sleep(SHORT_MS + 30)
    await takeLapsed(store, key, newClaim())
  },

  'a record can be read for its ttl, however often, and then the key is free': async ({ open }) => {
    const store = await open()
    const [key, owner, since] = [newKey(), newClaim(), now()]
    await record(store, key, owner, ANSWER, LIFE_MS)
    const goneAt = await takeLapsed(store, key, newClaim(), {
      meanwhile: (found) => assertCompleted(found, owner, ANSWER),
    })
    assertNotEarly(goneAt, since, LIFE_MS)
  },

  'a record outlives the lease it was made under': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await take(store, key, owner, 200)
    await settle(store, key, owner, ANSWER)
    await sleep(300)
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, ANSWER)
  },

  'nothing of a long lease is left when a record of a short ttl has expired': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await take(store, key, owner, LONG_MS)
    await settle(store, key, owner, ANSWER, SHORT_MS)
    await takeLapsed(store, key, newClaim())
  },

  'an expired record can be completed anew, for another request too': async ({ open }) => {
    const store = await open()
    const [key, again] = [newKey(), newClaim()]
    await record(store, key, newClaim(), ANSWER, 100)
    await sleep(250)
    await settle(store, key, again, bytesOf('a new answer'))
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), again, bytesOf('a new answer'))
  },

  'a renewal neither lengthens nor shortens the life of a record': async ({ open }) => {
    const store = await open()
    const [lasting, owner] = [newKey(), newClaim()]
    await record(store, lasting, owner, ANSWER)
    await store.renew(lasting, owner, 1)
    await inTime(async (ms) => {
      const lapsing = newKey()
      await record(store, lapsing, owner, ANSWER, ms)
      const renewed = await store.renew(lapsing, owner, LONG_MS)
      if (renewed === 'completed') await takeLapsed(store, lapsing, newClaim())
      return renewed === 'completed'
    })
    assertCompleted(await store.acquire(lasting, newClaim(), LONG_MS), owner, ANSWER)
  },

  'a second completion neither lengthens nor shortens the life of the first': async ({ open }) => {
    const store = await open()
    const [lasting, owner] = [newKey(), newClaim()]
    const second = newClaim(owner.fingerprint)
    await record(store, lasting, owner, ANSWER)
    await store.complete(lasting, second, ANSWER, 1)
    await inTime(async (ms) => {
      const lapsing = newKey()
      await record(store, lapsing, owner, ANSWER, ms)
      const completed = await store.complete(lapsing, second, ANSWER, LONG_MS)
      if (completed.state === 'standing') await takeLapsed(store, lapsing, newClaim())
      return completed.state === 'standing'
    })
    assertCompleted(await store.acquire(lasting, newClaim(), LONG_MS), owner, ANSWER)
  },

  'a record that gave way to a lock does not come back when the lock lapses': async ({ open }) => {
    const store = await open()
    const [key, claim] = [newKey(), newClaim()]
    await record(store, key, newClaim(), ANSWER)
    assert.equal((await store.acquire(key, claim, SHORT_MS, { replacing: ANSWER })).state, 'acquired')
    await takeLapsed(store, key, newClaim(), { meanwhile: (found) => assertLocked(found, claim) })
  },

  'an ending is there for its time and gone after it': async ({ open }) => {
    const store = await open()
    const [key, owner, since] = [newKey(), newOwner(), now()]
    await store.leaveNote(key, owner, bytesOf('an ending'), LIFE_MS)
    for (;;) {
      const ending = await store.readNote(key, owner)
      if (ending === undefined) break
      assertBytes(ending, bytesOf('an ending'))
      assert.ok(now() < since + PATIENCE_MS, 'the ending is still there')
      await sleep(15)
    }
    assertNotEarly(now(), since, LIFE_MS)
  },
})
