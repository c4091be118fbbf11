import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Store } from '@idem/core/store'
import { area } from '../kit.js'
import {
  assertBytes,
  assertCompleted,
  assertLocked,
  assertRecord,
  bytesOf,
  LONG_MS,
  newClaim,
  newKey,
  newOwner,
  record,
  settle,
  take,
} from '../tools.js'

/** Every way for bytes to go in and come out: as a record, as the record that stands, and as a note. */
async function roundTrip(store: Store, bytes: Uint8Array): Promise<void> {
  const [key, owner] = [newKey(), newClaim()]
  await record(store, key, owner, bytes)
  assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytes)
  const completed = await store.complete(key, newClaim(owner.fingerprint), bytesOf('another'), LONG_MS)
  assert.ok(completed.state === 'standing', `the completion was ${completed.state}`)
  assertRecord(completed.record, owner, bytes)
  await store.leaveNote(key, owner.owner, bytes, LONG_MS)
  assertBytes(await store.readNote(key, owner.owner), bytes)
}

/** Bytes come back unchanged, and names are never cut. */
export const values = area('values', {
  'a record of no bytes is a record': async ({ open }) => {
    const store = await open()
    await roundTrip(store, new Uint8Array())
  },

  'a record of no bytes can be replaced': async ({ open }) => {
    const store = await open()
    const [key, claim] = [newKey(), newClaim()]
    await record(store, key, newClaim(), new Uint8Array())
    const found = await store.acquire(key, claim, LONG_MS, { replacing: new Uint8Array() })
    assert.equal(found.state, 'acquired')
  },

  'every byte value comes back': async ({ open }) => {
    const store = await open()
    await roundTrip(
      store,
      Uint8Array.from({ length: 256 }, (_, byte) => byte),
    )
    await roundTrip(
      store,
      Uint8Array.from({ length: 256 }, (_, byte) => 255 - byte),
    )
  },

  'bytes that are not UTF-8 come back': async ({ open }) => {
    const store = await open()
    for (const hex of ['c3', 'c328', 'e28a', 'f0288cbc', 'eda080', 'fffe', 'efbbbf41', '80']) {
      await roundTrip(store, Buffer.from(hex, 'hex'))
    }
  },

  'line ends and zeros come back': async ({ open }) => {
    const store = await open()
    for (const text of ['\n', '\r\n', 'one\ntwo\n\nthree', '\n\n', '\0', 'a\0b\0', ' spaces around ']) {
      await roundTrip(store, bytesOf(text))
    }
  },

  'bytes that look like what a store writes itself come back': async ({ open }) => {
    const store = await open()
    const looks = [
      'L a b',
      'L',
      'R',
      'R x y 1\n',
      'R x y 1\nR x y 2\n',
      'V',
      'null',
      '{}',
      '{"state":"locked"}',
      '0',
    ]
    for (const text of [
      ...looks,
      `L ${newOwner()} ${newKey()}`,
      `R ${newOwner()} ${newKey()} 1700000000000\nbody`,
    ]) {
      await roundTrip(store, bytesOf(text))
    }
  },

  'a record whose bytes look like a lock of its owner is a record to every command': async ({ open }) => {
    const store = await open()
    for (const kind of ['L', 'V', 'lock', '{"state":"locked"}']) {
      const [key, owner] = [newKey(), newClaim()]
      const bytes = bytesOf(`${kind} ${owner.owner} ${owner.fingerprint}`)
      await record(store, key, owner, bytes)
      assertCompleted(await store.read(key), owner, bytes)
      assert.equal(await store.renew(key, owner, LONG_MS), 'completed')
      assert.equal(await store.release(key, owner.owner), false)
      assertCompleted(await store.acquire(key, owner, LONG_MS), owner, bytes)
      assert.equal(await store.forget(key), true)
      assert.deepEqual(await store.read(key), { state: 'absent' })
    }
  },

  'eight MiB come back': async ({ open }) => {
    const store = await open()
    const [key, owner, bytes] = [newKey(), newClaim(), randomBytes(8 * 1024 * 1024)]
    await record(store, key, owner, bytes)
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytes)
  },

  'a view of a larger buffer is stored and compared as what it shows': async ({ open }) => {
    const store = await open()
    const shown = bytesOf('before|the answer|after').subarray(7, 17)
    const [key, owner] = [newKey(), newClaim()]
    await take(store, key, owner)
    await settle(store, key, owner, shown)
    await store.leaveNote(key, owner.owner, shown, LONG_MS)
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('the answer'))
    assertBytes(await store.readNote(key, owner.owner), bytesOf('the answer'))
    assert.equal((await store.acquire(key, newClaim(), LONG_MS, { replacing: shown })).state, 'acquired')
  },

  'what the caller does to its buffer afterwards does not change what was stored': async ({ open }) => {
    const store = await open()
    // A Buffer too: its slice() is no copy.
    for (const buffer of [bytesOf('the answer'), Buffer.from('the answer')]) {
      const [key, owner] = [newKey(), newClaim()]
      await record(store, key, owner, buffer)
      await store.leaveNote(key, owner.owner, buffer, LONG_MS)
      buffer.fill(0)
      assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('the answer'))
      assertBytes(await store.readNote(key, owner.owner), bytesOf('the answer'))
    }
  },

  'what one reader does to the bytes it was given does not change what the next is given': async ({
    open,
  }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, bytesOf('the answer'))
    await store.leaveNote(key, owner.owner, bytesOf('the answer'), LONG_MS)
    const found = assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('the answer'))
    found.bytes.fill(0)
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('the answer'))
    const second = newClaim(owner.fingerprint)
    const completed = await store.complete(key, second, bytesOf('another'), LONG_MS)
    assert.ok(completed.state === 'standing', `the completion was ${completed.state}`)
    completed.record.bytes.fill(0)
    assertCompleted(await store.acquire(key, newClaim(), LONG_MS), owner, bytesOf('the answer'))
    const ending = await store.readNote(key, owner.owner)
    ending?.fill(0)
    assertBytes(await store.readNote(key, owner.owner), bytesOf('the answer'))
  },

  'names of one letter and of sixty-four are kept whole': async ({ open }) => {
    const store = await open()
    const long = (name: string) => name.repeat(2).slice(0, 64)
    const longest = { owner: long(newKey()), fingerprint: long(newKey()) }
    for (const claim of [longest, { owner: '-', fingerprint: '_' }, { owner: '0', fingerprint: '0' }]) {
      const key = long(newKey())
      await take(store, key, claim)
      const found = await store.acquire(key, newClaim(), LONG_MS)
      assertLocked(found, claim)
      assert.equal(await store.renew(key, claim, LONG_MS), 'held')
      await settle(store, key, claim, bytesOf('the answer'))
      assertCompleted(await store.acquire(key, newClaim(), LONG_MS), claim, bytesOf('the answer'))
    }
  },
})
