import assert from 'node:assert/strict'
import { STORE_SPEC_VERSION } from '@idem/core/store'
import { area } from '../kit.js'
import {
  assertCompleted,
  assertLocked,
  atOnce,
  bytesOf,
  inTime,
  LONG_MS,
  newClaim,
  newKey,
  record,
  sleep,
  take,
  takeLapsed,
} from '../tools.js'

/** Taking the lock, and being told what stands. */
export const acquire = area('acquire', {
  'a store says which version of the contract it keeps': async ({ open }) => {
    assert.equal((await open()).specVersion, STORE_SPEC_VERSION)
  },

  'a store that is ready gives the lock of an absent key': async ({ open }) => {
    const store = await open()
    await store.ready()
    await take(store, newKey(), newClaim())
  },

  'a contended acquire is an answer: the owner and the fingerprint that hold the lock': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    assertLocked(await store.acquire(key, newClaim(holder.fingerprint), LONG_MS), holder)
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), holder)
  },

  'a contended acquire neither lengthens nor shortens the lease it met': async ({ open }) => {
    const store = await open()
    const [lasting, holder] = [newKey(), newClaim()]
    await take(store, lasting, holder)
    assertLocked(await store.acquire(lasting, newClaim(), 1), holder)
    await inTime(async (ms) => {
      const lapsing = newKey()
      await take(store, lapsing, holder, ms)
      const met = await store.acquire(lapsing, newClaim(), LONG_MS)
      if (met.state === 'locked') await takeLapsed(store, lapsing, newClaim())
      return met.state === 'locked'
    })
    assertLocked(await store.acquire(lasting, newClaim(), LONG_MS), holder)
  },

  'an owner that asks twice is told that the lock is its own, and the lease stays as it was': async ({
    open,
  }) => {
    const store = await open()
    const [lasting, holder] = [newKey(), newClaim()]
    await take(store, lasting, holder)
    assertLocked(await store.acquire(lasting, holder, 1), holder)
    await inTime(async (ms) => {
      const lapsing = newKey()
      await take(store, lapsing, holder, ms)
      const met = await store.acquire(lapsing, holder, LONG_MS)
      if (met.state === 'locked') await takeLapsed(store, lapsing, newClaim())
      return met.state === 'locked'
    })
    assertLocked(await store.acquire(lasting, newClaim(), LONG_MS), holder)
  },

  'a lock taken in one process is met in another': async ({ open }) => {
    const [one, other] = [await open(), await open()]
    const [key, holder] = [newKey(), newClaim()]
    await take(one, key, holder)
    assertLocked(await other.acquire(key, newClaim(), LONG_MS), holder)
  },

  'a completed key answers with its record: owner, fingerprint and the exact bytes': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, bytesOf('the answer'))
    assertCompleted(
      await store.acquire(key, newClaim(owner.fingerprint), LONG_MS),
      owner,
      bytesOf('the answer'),
    )
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('the answer'))
  },

  'a record tells when it was stored, and goes on telling the same': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, bytesOf('the answer'))
    const ask = async () =>
      assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('the answer'))
    const { storedAtMs } = await ask()
    // The store's clock may differ from ours, but both give the time of day.
    const apart = Math.abs(Date.now() - storedAtMs)
    assert.ok(apart < 24 * 3_600_000, `stored at ${storedAtMs}, which is not ms since the epoch`)
    await sleep(20)
    assert.equal((await ask()).storedAtMs, storedAtMs)
  },

  'of fifty acquires at once one gets the lock, and the others are told whose it is': async ({ open }) => {
    const handles = [await open(), await open()] as const
    const [key, { fingerprint }] = [newKey(), newClaim()]
    const claims = await atOnce(50, async (index) => {
      const claim = newClaim(fingerprint)
      return { claim, found: await handles[index % 2 ? 1 : 0].acquire(key, claim, LONG_MS) }
    })
    const winners = claims.filter(({ found }) => found.state === 'acquired')
    assert.equal(winners.length, 1, `${winners.length} of 50 got the lock`)
    for (const { claim, found } of claims)
      if (claim !== winners[0]?.claim) assertLocked(found, winners[0]!.claim)
  },

  'keys that differ in one letter, its case or its length are different keys': async ({ open }) => {
    const store = await open()
    const key = newKey().slice(0, 42)
    const keys = [`${key}A`, `${key}a`, `${key}B`, `${key}-`, `${key}_`, key, `${key}AA`]
    const claims = keys.map(() => newClaim())
    for (const [index, each] of keys.entries()) await take(store, each, claims[index]!)
    await store.release(keys[0]!, claims[0]!.owner)
    await store.complete(keys[1]!, claims[1]!, bytesOf('the answer'), LONG_MS)
    await take(store, keys[0]!, newClaim())
    for (const index of [2, 3, 4, 5, 6]) {
      assertLocked(await store.acquire(keys[index]!, newClaim(), LONG_MS), claims[index]!)
    }
  },

  'with `replacing`, a record of exactly those bytes gives way to a lock': async ({ open }) => {
    const store = await open()
    const [key, claim] = [newKey(), newClaim()]
    await record(store, key, newClaim(), bytesOf('undecodable'))
    const replacing = bytesOf('undecodable')
    assert.equal((await store.acquire(key, claim, LONG_MS, { replacing })).state, 'acquired')
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), claim)
    assert.equal((await store.complete(key, claim, bytesOf('better'), LONG_MS)).state, 'stored')
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), claim, bytesOf('better'))
  },

  'with `replacing`, a record of any other bytes stays': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, bytesOf('the answer'))
    for (const other of ['', 'the answe', 'the answer ', 'the answes', 'THE ANSWER']) {
      const found = await store.acquire(key, newClaim(), LONG_MS, { replacing: bytesOf(other) })
      assertCompleted(found, owner, bytesOf('the answer'))
    }
  },

  'with `replacing`, a lock is not taken from its owner': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    const found = await store.acquire(key, newClaim(), LONG_MS, { replacing: bytesOf('undecodable') })
    assertLocked(found, holder)
    assert.equal(await store.renew(key, holder, LONG_MS), 'held')
  },

  'with `replacing`, an absent key is locked like any other': async ({ open }) => {
    const store = await open()
    const [key, claim] = [newKey(), newClaim()]
    const found = await store.acquire(key, claim, LONG_MS, { replacing: bytesOf('undecodable') })
    assert.equal(found.state, 'acquired')
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), claim)
  },

  'of twenty that replace one record at once, one gets the lock': async ({ open }) => {
    const store = await open()
    const key = newKey()
    await record(store, key, newClaim(), bytesOf('undecodable'))
    const replacing = bytesOf('undecodable')
    const found = await atOnce(20, () => store.acquire(key, newClaim(), LONG_MS, { replacing }))
    assert.equal(found.filter(({ state }) => state === 'acquired').length, 1)
    assert.equal(found.filter(({ state }) => state === 'locked').length, 19)
  },
})
