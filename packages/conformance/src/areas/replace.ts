import assert from 'node:assert/strict'
import type { Claim } from '@idem/core/store'
import { area } from '../kit.js'
import {
  assertCompleted,
  assertNotEarly,
  assertRecord,
  atOnce,
  bytesOf,
  eventually,
  LIFE_MS,
  LONG_MS,
  listen,
  newClaim,
  newKey,
  now,
  record,
  SHORT_MS,
  sleep,
  take,
  writeOver,
} from '../tools.js'

const OLD = bytesOf('the old answer')
const NEW = bytesOf('the new answer')

/** Another owner of the same request, as a refresh is. */
const again = ({ fingerprint }: Claim) => newClaim(fingerprint)

const refreshing = area('replace', {
  'a record gives way to the new one of the same fingerprint, for every handle': async ({ open }) => {
    const [one, other] = [await open(), await open()]
    const [key, owner] = [newKey(), newClaim()]
    const second = again(owner)
    await record(one, key, owner, OLD)
    assert.equal(await writeOver(one, key, second, NEW, LONG_MS), true)
    assertCompleted(await one.read(key), second, NEW)
    assertCompleted(await other.acquire(key, newClaim(), LONG_MS), second, NEW)
  },

  'the new record tells when it was stored itself': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, OLD)
    const before = assertCompleted(await store.read(key), owner, OLD)
    await sleep(30)
    await writeOver(store, key, owner, NEW, LONG_MS)
    const after = assertCompleted(await store.read(key), owner, NEW)
    assert.ok(after.storedAtMs > before.storedAtMs, 'the new record has the time of the old one')
  },

  'the new record stands: a completion is given it': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, OLD)
    const second = again(owner)
    await writeOver(store, key, second, NEW, LONG_MS)
    const completed = await store.complete(key, owner, OLD, LONG_MS)
    assert.ok(completed.state === 'standing', `the completion was ${completed.state}`)
    assertRecord(completed.record, second, NEW)
  },

  'the new record lives as long as it was given, be it shorter': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, OLD)
    const since = now()
    await writeOver(store, key, owner, NEW, LIFE_MS)
    await eventually('the new record never expired', async () => {
      const found = await store.read(key)
      if (found.state === 'absent') return true
      assertCompleted(found, owner, NEW)
      return undefined
    })
    assertNotEarly(now(), since, LIFE_MS)
  },

  'the new record lives as long as it was given, be it longer': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    await record(store, key, owner, OLD, SHORT_MS)
    await writeOver(store, key, owner, NEW, LONG_MS)
    await sleep(SHORT_MS + 50)
    assertCompleted(await store.read(key), owner, NEW)
  },

  'on an absent key the record is written': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    assert.equal(await writeOver(store, key, owner, NEW, LONG_MS), true)
    assertCompleted(await store.read(key), owner, NEW)
  },

  'over a lock of the same fingerprint the record is written, and the holder learns of it': async ({
    open,
  }) => {
    const store = await open()
    const [key, holder] = [newKey(), newClaim()]
    const second = again(holder)
    await take(store, key, holder)
    assert.equal(await writeOver(store, key, second, NEW, LONG_MS), true)
    assert.equal(await store.renew(key, holder, LONG_MS), 'completed')
    assert.equal(await store.release(key, holder.owner), false)
    assertCompleted(await store.read(key), second, NEW)
  },

  'a replacement that is not written leaves the life of what stands': async ({ open }) => {
    const store = await open()
    const [lasting, lapsing, owner] = [newKey(), newKey(), newClaim()]
    await record(store, lasting, owner, OLD)
    await record(store, lapsing, owner, OLD, SHORT_MS)
    assert.equal(await writeOver(store, lasting, newClaim(), NEW, 1), false)
    // Written only if the record has expired already, which happens on a machine that stood still.
    await writeOver(store, lapsing, newClaim(), NEW, SHORT_MS)
    await eventually('the record never expired', async () =>
      (await store.read(lapsing)).state === 'absent' ? true : undefined,
    )
    assertCompleted(await store.read(lasting), owner, OLD)
  },

  'every byte value comes back from a replacement, and so do none': async ({ open }) => {
    const store = await open()
    const [key, owner] = [newKey(), newClaim()]
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    for (const bytes of [all, new Uint8Array(), bytesOf('\n\0 L a b\n'), all.toReversed()]) {
      await writeOver(store, key, owner, bytes, LONG_MS)
      assertCompleted(await store.read(key), owner, bytes)
    }
  },

  'of twenty replacements at once every one is written, and a whole one stands': async ({ open }) => {
    const handles = [await open(), await open()] as const
    const [key, owner] = [newKey(), newClaim()]
    await record(handles[0], key, owner, OLD)
    const all = await atOnce(20, async (index) => {
      const [claim, bytes] = [again(owner), bytesOf(`answer ${index}`)]
      const written = await writeOver(handles[index % 2 ? 1 : 0], key, claim, bytes, LONG_MS)
      return { claim, bytes, written }
    })
    assert.deepEqual([...new Set(all.map(({ written }) => written))], [true])
    const found = await handles[0].read(key)
    assert.ok(found.state === 'completed', `the key should be completed, but is ${found.state}`)
    const standing = all.find(({ claim }) => claim.owner === found.record.owner)
    assert.ok(standing, 'the record is of nobody who replaced it')
    assertRecord(found.record, standing.claim, standing.bytes)
  },
})

const waking = area(
  'replace',
  {
    'a replacement wakes a watcher and names the owner whose record stands now': async ({ open }) => {
      const [one, other] = [await open(), await open()]
      const [key, owner] = [newKey(), newClaim()]
      await record(one, key, owner, OLD)
      const second = again(owner)
      const listening = await listen(other, key)
      await writeOver(one, key, second, NEW, LONG_MS)
      await listening.heard('settled', second.owner)
      listening.stop()
    },
  },
  'watch',
)

/** A record written over another, for a refresh. */
export const replace = [...refreshing, ...waking]
