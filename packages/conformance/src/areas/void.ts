import assert from 'node:assert/strict'
import type { Claim, Store } from '@idem/core/store'
import { area } from '../kit.js'
import {
  assertCompleted,
  assertLocked,
  assertNotEarly,
  bytesOf,
  eventually,
  inTime,
  LONG_MS,
  letSucceed,
  listen,
  newClaim,
  newKey,
  now,
  record,
  settle,
  sleep,
  take,
  writeOver,
} from '../tools.js'

const ANSWER = bytesOf('the answer')

/** Takes a lock and then forgets its key. */
async function takeVoid(store: Store, key: string, claim: Claim, leaseMs = LONG_MS): Promise<void> {
  await take(store, key, claim, leaseMs)
  assert.equal(await store.forget(key), true, 'there was a lock to forget')
}

async function assertVoid(store: Store, key: string, claim: Claim): Promise<void> {
  assert.deepEqual(await store.complete(key, claim, ANSWER, LONG_MS), { state: 'refused' })
}

const forgetting = area('void', {
  'on an absent key there is nothing to forget, and the key stays free': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    assert.equal(await store.forget(key), false)
    assert.deepEqual(await store.read(key), { state: 'absent' })
    await record(store, key, owner, ANSWER)
  },

  'what has lapsed or expired is nothing to forget': async ({ open }) => {
    const store = await open()
    const [lapsed, expired] = [newKey(), newKey()]
    await take(store, lapsed, newClaim(), 100)
    await record(store, expired, newClaim(), ANSWER, 100)
    await sleep(250)
    assert.equal(await store.forget(lapsed), false)
    assert.equal(await store.forget(expired), false)
  },

  'a record that is forgotten is gone for every handle, and the key completes anew': async ({ open }) => {
    const [one, other] = [await open(), await open()]
    const [key, again] = [newKey(), newClaim()]
    await record(one, key, newClaim(), ANSWER)
    assert.equal(await one.forget(key), true)
    assert.deepEqual(await other.read(key), { state: 'absent' })
    assert.equal(await one.forget(key), false)
    await record(other, key, again, bytesOf('a new answer'))
    assertCompleted(await one.read(key), again, bytesOf('a new answer'))
  },

  'a lock that is forgotten is still its owner’s: it is reported, renewed and met by others': async ({
    open,
  }) => {
    const [one, other] = [await open(), await open()]
    const [key, holder] = [newKey(), newClaim()]
    await takeVoid(one, key, holder)
    assertLocked(await one.read(key), holder)
    assertLocked(await other.acquire(key, newClaim(), LONG_MS), holder)
    assert.equal(await one.renew(key, holder, LONG_MS), 'held')
    assert.equal(await other.renew(key, newClaim(holder.fingerprint), LONG_MS), 'lost')
    assert.equal(await other.release(key, newClaim().owner), false)
    assertLocked(await one.read(key), holder)
  },

  'an owner whose void lock is met again is told that it is its own': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await takeVoid(store, key, holder)
    assertLocked(await store.acquire(key, holder, LONG_MS), holder)
    await assertVoid(store, key, holder)
  },

  'a completion over a void lock is refused, in another process too, and the lock stays': async ({
    open,
  }) => {
    const [one, other] = [await open(), await open()]
    const [key, holder] = [newKey(), newClaim()]
    await take(one, key, holder)
    assert.equal(await other.forget(key), true)
    await assertVoid(one, key, holder)
    await assertVoid(other, key, holder)
    assertLocked(await one.read(key), holder)
    assert.equal(await one.renew(key, holder, LONG_MS), 'held')
  },

  'a renewal keeps a void lock void': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await takeVoid(store, key, holder)
    for (const _renewal of [1, 2, 3]) assert.equal(await store.renew(key, holder, LONG_MS), 'held')
    await assertVoid(store, key, holder)
  },

  'a stale owner cannot complete over the void lock of its successor, nor can the successor': async ({
    open,
  }) => {
    const store = await open()
    const [key, stale] = [newKey(), newClaim()]
    const successor = newClaim(stale.fingerprint)
    await letSucceed(store, key, stale, successor)
    assert.equal(await store.forget(key), true)
    await assertVoid(store, key, stale)
    await assertVoid(store, key, successor)
    assertLocked(await store.read(key), successor)
  },

  'replace does not write over a void lock': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await takeVoid(store, key, holder)
    assert.equal(await writeOver(store, key, holder, ANSWER, LONG_MS), false)
    assert.equal(await writeOver(store, key, newClaim(holder.fingerprint), ANSWER, LONG_MS), false)
    assertLocked(await store.read(key), holder)
  },

  'with `replacing`, a void lock is not taken from its owner': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await takeVoid(store, key, holder)
    assertLocked(await store.acquire(key, newClaim(), LONG_MS, { replacing: ANSWER }), holder)
    await assertVoid(store, key, holder)
  },

  'a release of a void lock frees the key, which then completes again': async ({ open }) => {
    const store = await open()
    const [key, holder, next] = [newKey(), newClaim(), newClaim()]
    await takeVoid(store, key, holder)
    assert.equal(await store.release(key, holder.owner), true)
    assert.deepEqual(await store.read(key), { state: 'absent' })
    await record(store, key, next, ANSWER)
    assertCompleted(await store.read(key), next, ANSWER)
  },

  'a lock of the same owner after the release is not void': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await takeVoid(store, key, holder)
    await store.release(key, holder.owner)
    assert.equal(await store.renew(key, holder, LONG_MS), 'retaken')
    await settle(store, key, holder, ANSWER)
  },

  'once a void lock has lapsed, the key is absent and completes again': async ({ open }) => {
    const store = await open()
    const [untouched, taken, holder] = [newKey(), newKey(), newClaim()]
    for (const key of [untouched, taken]) {
      await inTime(async (ms) => {
        await take(store, key, holder, ms / 4)
        const forgotten = await store.forget(key)
        await sleep(ms / 4 + 150)
        return forgotten
      })
    }
    assert.deepEqual(await store.read(untouched), { state: 'absent' })
    await settle(store, untouched, holder, ANSWER)
    const successor = newClaim(holder.fingerprint)
    await record(store, taken, successor, ANSWER)
    assertCompleted(await store.read(taken), successor, ANSWER)
  },

  'forget leaves the rest of the lease as it was, neither longer nor shorter': async ({ open }) => {
    const store = await open()
    const [lasting, holder] = [newKey(), newClaim()]
    await takeVoid(store, lasting, holder)
    await inTime(async (ms) => {
      const [forgotten, untouched, since] = [newKey(), newKey(), now()]
      await Promise.all([forgotten, untouched].map((key) => take(store, key, holder, 2 * ms)))
      await sleep(ms)
      if (!(await store.forget(forgotten))) return false
      const goneAt = async (key: string) => {
        const isGone = async () => (await store.read(key)).state === 'absent' || undefined
        await eventually('the lock never lapsed', isGone)
        return now()
      }
      const [forgottenAt, untouchedAt] = await Promise.all([goneAt(forgotten), goneAt(untouched)])
      assertNotEarly(forgottenAt, since, 2 * ms)
      // If forgetting started a new lease, the lock would lapse that much later.
      return forgottenAt < untouchedAt + 0.75 * ms
    })
    assertLocked(await store.read(lasting), holder)
  },

  'a void lock can be forgotten again and stays void': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await takeVoid(store, key, holder)
    assert.equal(await store.forget(key), true)
    await assertVoid(store, key, holder)
    assertLocked(await store.read(key), holder)
  },

  'other keys are not forgotten with it': async ({ open }) => {
    const store = await open()
    const begin = newKey().slice(0, 40)
    const [locked, completed] = [`${begin}aa`, `${begin}ab`]
    const [holder, owner] = [newClaim(), newClaim()]
    await take(store, locked, holder)
    await record(store, completed, owner, ANSWER)
    for (const key of [`${begin}ac`, begin, `${begin}aaa`, `${begin}AA`]) {
      await takeVoid(store, key, newClaim())
      await store.forget(newKey())
    }
    assertCompleted(await store.read(completed), owner, ANSWER)
    await settle(store, locked, holder, ANSWER)
  },
})

const waking = area(
  'void',
  {
    'the release of a void lock wakes a watcher': async ({ open }) => {
      const store = await open()
      const [key, holder] = [newKey(), newClaim()]
      await takeVoid(store, key, holder)
      const listening = await listen(store, key)
      await store.release(key, holder.owner)
      await listening.heard('ended', holder.owner)
      listening.stop()
    },
  },
  'watch',
)

/** `forget`: a record is gone, and a lock is void. */
export const voids = [...forgetting, ...waking]
