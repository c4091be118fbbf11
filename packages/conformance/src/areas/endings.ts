import assert from 'node:assert/strict'
import { area } from '../kit.js'
import {
  assertBytes,
  assertCompleted,
  assertLocked,
  bytesOf,
  LONG_MS,
  newClaim,
  newKey,
  newOwner,
  record,
  take,
} from '../tools.js'

/** Notes of executions that ended without a record. */
export const endings = area('endings', {
  'an ending is found under the owner that left it, in another process too': async ({ open }) => {
    const [one, other] = [await open(), await open()]
    const [key, owner] = [newKey(), newOwner()]
    await one.leaveNote(key, owner, bytesOf('shared failure'), LONG_MS)
    assertBytes(await one.readNote(key, owner), bytesOf('shared failure'))
    assertBytes(await other.readNote(key, owner), bytesOf('shared failure'))
  },

  'an ending is not found under another owner': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newOwner()]
    await store.leaveNote(key, owner, bytesOf('shared failure'), LONG_MS)
    assert.equal(await store.readNote(key, newOwner()), undefined)
  },

  'an ending is not found under another key': async ({ open }) => {
    const store = await open()
    const owner = newOwner()
    await store.leaveNote(newKey(), owner, bytesOf('shared failure'), LONG_MS)
    assert.equal(await store.readNote(newKey(), owner), undefined)
  },

  'endings of several owners of one key stand side by side': async ({ open }) => {
    const store = await open()
    const [key, one, other] = [newKey(), newOwner(), newOwner()]
    await store.leaveNote(key, one, bytesOf('of one'), LONG_MS)
    await store.leaveNote(key, other, bytesOf('of the other'), LONG_MS)
    assertBytes(await store.readNote(key, one), bytesOf('of one'))
    assertBytes(await store.readNote(key, other), bytesOf('of the other'))
  },

  'an ending left before the release is there after it, for every waiter that asks': async ({ open }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    await take(store, key, holder)
    await store.leaveNote(key, holder.owner, bytesOf('shared failure'), LONG_MS)
    assert.equal(await store.release(key, holder.owner), true)
    await take(store, key, newClaim())
    for (const _waiter of [1, 2, 3]) {
      assertBytes(await store.readNote(key, holder.owner), bytesOf('shared failure'))
    }
  },

  'an ending changes neither lock nor record': async ({ open }) => {
    const store = await open()
    const [absent, locked, completed, owner] = [newKey(), newKey(), newKey(), newClaim()]
    await take(store, locked, owner)
    await record(store, completed, owner, bytesOf('the answer'))
    for (const key of [absent, locked, completed])
      await store.leaveNote(key, owner.owner, bytesOf('an ending'), LONG_MS)
    assertLocked(await store.acquire(locked, newClaim(), LONG_MS), owner)
    assert.equal(await store.renew(locked, owner, LONG_MS), 'held')
    assertCompleted(await store.acquire(completed, newClaim(), LONG_MS), owner, bytesOf('the answer'))
    await take(store, absent, newClaim())
  },

  'an empty ending is an ending': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newOwner()]
    await store.leaveNote(key, owner, new Uint8Array(), LONG_MS)
    assertBytes(await store.readNote(key, owner), new Uint8Array())
  },
})
