import assert from 'node:assert/strict'
import { area } from '../kit.js'
import {
  assertCompleted,
  assertLocked,
  atOnce,
  bytesOf,
  LONG_MS,
  newClaim,
  newKey,
  newOwner,
  record,
  sleep,
  take,
  writeOver,
} from '../tools.js'

const ANSWER = bytesOf('the answer')
const OTHER = bytesOf('of another request')

/** Under one key, the record or lock of another request is reported as such and never overwritten. */
export const fingerprint = area('fingerprint', {
  'a lock of another fingerprint is reported with the one it has': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), holder)
    assertLocked(await store.acquire(key, newClaim(), LONG_MS, { replacing: OTHER }), holder)
    assertLocked(await store.read(key), holder)
  },

  'a record of another fingerprint is reported with the one it has': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, ANSWER)
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, ANSWER)
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS, { replacing: OTHER }), owner, ANSWER)
    assertCompleted(await store.read(key), owner, ANSWER)
  },

  'a refused completion is told nothing of the record that stands, and does not wear it down': async ({
    open,
  }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, ANSWER)
    for (const _again of [1, 2, 3]) {
      assert.deepEqual(await store.complete(key, newClaim(), OTHER, LONG_MS), { state: 'refused' })
    }
    assertCompleted(await store.read(key), owner, ANSWER)
  },

  'replace does not write over a lock of another fingerprint': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    assert.equal(await writeOver(store, key, newClaim(), OTHER, LONG_MS), false)
    assertLocked(await store.read(key), holder)
    assert.equal(await store.renew(key, holder, LONG_MS), 'held')
  },

  'replace does not write over a record of another fingerprint': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, ANSWER)
    assert.equal(await writeOver(store, key, newClaim(), OTHER, LONG_MS), false)
    assertCompleted(await store.read(key), owner, ANSWER)
  },

  'the owner of a lock cannot complete or replace it as another request': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    const { fingerprint } = newClaim()
    const changed = { owner: holder.owner, fingerprint }
    assert.equal((await store.complete(key, changed, OTHER, LONG_MS)).state, 'refused')
    assert.equal(await writeOver(store, key, changed, OTHER, LONG_MS), false)
    assertLocked(await store.read(key), holder)
  },

  'fingerprints are compared to the letter': async ({ open }) => {
    const store = await open()
    const begin = newOwner().slice(0, 20)
    const [locked, completed, claim] = [newKey(), newKey(), { owner: newOwner(), fingerprint: `${begin}aB` }]
    await take(store, locked, claim)
    await record(store, completed, claim, ANSWER)
    const others = [begin, `${begin}a`, `${begin}ab`, `${begin}AB`, `${begin}aBB`, `${begin}-_`]
    for (const fingerprint of others) {
      for (const key of [locked, completed]) {
        const other = { owner: claim.owner, fingerprint }
        const { state } = await store.complete(key, other, OTHER, LONG_MS)
        assert.equal(state, 'refused', `${fingerprint} completed over ${claim.fingerprint}`)
        const replaced = await writeOver(store, key, other, OTHER, LONG_MS)
        assert.equal(replaced, false, `${fingerprint} replaced ${claim.fingerprint}`)
      }
    }
    assertLocked(await store.read(locked), claim)
    assertCompleted(await store.read(completed), claim, ANSWER)
  },

  'once the lock has lapsed or was released, another request has the key': async ({ open }) => {
    const store = await open()
    const [lapsed, released, holder, other] = [newKey(), newKey(), newClaim(), newClaim()]
    await take(store, lapsed, holder, 100)
    await take(store, released, holder)
    await store.release(released, holder.owner)
    await sleep(250)
    for (const key of [lapsed, released]) {
      assert.equal((await store.complete(key, other, ANSWER, LONG_MS)).state, 'stored')
      assertCompleted(await store.read(key), other, ANSWER)
    }
  },

  'of two requests that complete at once under one key, one is stored and the other refused': async ({
    open,
  }) => {
    const handles = [await open(), await open()] as const
    await atOnce(10, async () => {
      const [key, claims] = [newKey(), [newClaim(), newClaim()] as const]
      const states = await atOnce(2, async (index) => {
        const { state } = await handles[index]!.complete(key, claims[index]!, bytesOf(`${index}`), LONG_MS)
        return state
      })
      assert.deepEqual([...states].sort(), ['refused', 'stored'])
      const winner = states.indexOf('stored')
      assertCompleted(await handles[0].read(key), claims[winner]!, bytesOf(`${winner}`))
    })
  },
})
