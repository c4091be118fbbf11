import assert from 'node:assert/strict'
import type { Completed } from '@idem/core/store'
import { area } from '../kit.js'
import {
  assertCompleted,
  assertLocked,
  assertRecord,
  atOnce,
  bytesOf,
  LONG_MS,
  letSucceed,
  newClaim,
  newKey,
  record,
  settle,
  sleep,
  take,
} from '../tools.js'

function standing(completed: Completed) {
  assert.ok(
    completed.state === 'standing',
    `a record stood already, but the completion was ${completed.state}`,
  )
  return completed.record
}

/** The record is written once. */
export const complete = area('complete', {
  'the first completion wins, and a second is given the first record': async ({ open }) => {
    const store = await open()
    const [key, first] = [newKey(), newClaim()]
    const second = newClaim(first.fingerprint)
    await record(store, key, first, bytesOf('the first answer'))
    const completed = await store.complete(key, second, bytesOf('another'), LONG_MS)
    assertRecord(standing(completed), first, bytesOf('the first answer'))
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), first, bytesOf('the first answer'))
  },

  'an owner that completes twice is given its own record': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, bytesOf('the answer'))
    const completed = await store.complete(key, owner, bytesOf('the answer'), LONG_MS)
    assertRecord(standing(completed), owner, bytesOf('the answer'))
  },

  'a completion whose lease has lapsed is stored': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await take(store, key, owner, 100)
    await sleep(200)
    await settle(store, key, owner, bytesOf('late, but paid for'))
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('late, but paid for'))
  },

  'a completion over the lock of a successor is stored, and the successor learns of it': async ({ open }) => {
    const store = await open()
    const [key, stale] = [newKey(), newClaim()]
    const successor = newClaim(stale.fingerprint)
    await letSucceed(store, key, stale, successor)
    await settle(store, key, stale, bytesOf('the first answer'))
    assert.equal(await store.renew(key, successor, LONG_MS), 'completed')
    const completed = await store.complete(key, successor, bytesOf('another'), LONG_MS)
    assertRecord(standing(completed), stale, bytesOf('the first answer'))
  },

  'a completion is refused over a lock of another fingerprint, and changes nothing': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    const completed = await store.complete(key, newClaim(), bytesOf('of another request'), LONG_MS)
    assert.equal(completed.state, 'refused')
    assertLocked(await store.acquire(key, newClaim(), LONG_MS), holder)
    assert.equal(await store.renew(key, holder, LONG_MS), 'held')
  },

  'a completion is refused over a record of another fingerprint, and changes nothing': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, bytesOf('the answer'))
    const completed = await store.complete(key, newClaim(), bytesOf('of another request'), LONG_MS)
    assert.equal(completed.state, 'refused')
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('the answer'))
  },

  'of twenty completions at once one is stored, and the others are given it': async ({ open }) => {
    const handles = [await open(), await open()] as const
    const [key, { fingerprint }] = [newKey(), newClaim()]
    const all = await atOnce(20, async (index) => {
      const [claim, bytes] = [newClaim(fingerprint), bytesOf(`answer ${index}`)]
      return {
        claim,
        bytes,
        completed: await handles[index % 2 ? 1 : 0].complete(key, claim, bytes, LONG_MS),
      }
    })
    const winners = all.filter(({ completed }) => completed.state === 'stored')
    assert.equal(winners.length, 1, `${winners.length} of 20 were stored`)
    const { claim, bytes } = winners[0]!
    for (const each of all) if (each !== winners[0]) assertRecord(standing(each.completed), claim, bytes)
    for (const handle of handles)
      assertCompleted(await handle.acquire(key, newClaim(), LONG_MS), claim, bytes)
  },
})
