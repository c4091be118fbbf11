import assert from 'node:assert/strict'
import { area } from '../kit.js'
import {
  assertCompleted,
  assertLocked,
  assertNotEarly,
  atOnce,
  bytesOf,
  eventually,
  LIFE_MS,
  LONG_MS,
  newClaim,
  newKey,
  now,
  record,
  settle,
  take,
} from '../tools.js'

const ANSWER = bytesOf('the answer')

/** Looking at a key without taking it. */
export const read = area('read', {
  'an absent key reads as absent, and is still free': async ({ open }) => {
    const store = await open()
    const key = newKey()
    assert.deepEqual(await store.read(key), { state: 'absent' })
    await atOnce(5, () => store.read(key))
    await take(store, key, newClaim())
  },

  'a locked key reads as locked, with owner and fingerprint': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    assertLocked(await store.read(key), holder)
    assert.equal(await store.renew(key, holder, LONG_MS), 'held')
  },

  'a completed key reads as the very record that acquire gives': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, ANSWER)
    const { storedAtMs } = assertCompleted(await store.read(key), owner, ANSWER)
    const given = assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, ANSWER)
    assert.equal(storedAtMs, given.storedAtMs)
  },

  'a released key reads as absent': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    await store.release(key, holder.owner)
    assert.deepEqual(await store.read(key), { state: 'absent' })
  },

  'what one process writes is read in another': async ({ open }) => {
    const [one, other] = [await open(), await open()]
    const [key, owner] = [newKey(), newClaim()]
    assert.equal((await other.read(key)).state, 'absent')
    await take(one, key, owner)
    assertLocked(await other.read(key), owner)
    await settle(one, key, owner, ANSWER)
    assertCompleted(await other.read(key), owner, ANSWER)
  },

  'a lock that is read lapses when it would have': async ({ open }) => {
    const store = await open()
    const [key, holder, since] = [newKey(), newClaim(), now()]
    await take(store, key, holder, LIFE_MS)
    await eventually('the lock never lapsed', async () => {
      const found = await store.read(key)
      if (found.state === 'absent') return true
      assertLocked(found, holder)
      return undefined
    })
    assertNotEarly(now(), since, LIFE_MS)
    await take(store, key, newClaim())
  },

  'a record that is read expires when it would have': async ({ open }) => {
    const store = await open()
    const [key, owner, since] = [newKey(), newClaim(), now()]
    await record(store, key, owner, ANSWER, LIFE_MS)
    await eventually('the record never expired', async () => {
      const found = await store.read(key)
      if (found.state === 'absent') return true
      assertCompleted(found, owner, ANSWER)
      return undefined
    })
    assertNotEarly(now(), since, LIFE_MS)
  },

  'what a reader does to the bytes it read does not change the record': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, ANSWER)
    assertCompleted(await store.read(key), owner, ANSWER).bytes.fill(0)
    assertCompleted(await store.read(key), owner, ANSWER)
  },
})
