import assert from 'node:assert/strict'
import type { Store } from '@idem/core/store'
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
  SHORT_MS,
  settle,
  take,
  writeOver,
} from '../tools.js'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** How long what a test leaves under a short key may be in the way of the next run. */
const LEFT_MS = 5_000
const ANSWER = bytesOf('the answer')

/** 64 characters that no other run has. */
const longKey = () => newKey().repeat(2).slice(0, 64)

/** Takes a key through every method once. What is left of it lapses soon: short keys are not random. */
async function live(store: Store, key: string): Promise<void> {
  const owner = newClaim()
  await take(store, key, owner, LEFT_MS)
  assertLocked(await store.acquire(key, newClaim(), LEFT_MS), owner)
  assertLocked(await store.read(key), owner)
  assert.equal(await store.renew(key, owner, LEFT_MS), 'held')
  await store.leaveNote(key, owner.owner, bytesOf('an ending'), LEFT_MS)
  assertBytes(await store.readNote(key, owner.owner), bytesOf('an ending'))
  if (store.append) {
    assert.equal(await store.append(key, owner.owner, 0, bytesOf('live'), LEFT_MS), 4)
    assertBytes(await store.tail!(key, owner.owner, 0), bytesOf('live'))
  }
  assert.equal(await store.release(key, owner.owner), true)
  await take(store, key, owner, LEFT_MS)
  await settle(store, key, owner, ANSWER, LEFT_MS)
  assertCompleted(await store.read(key), owner, ANSWER)
  assert.equal(await writeOver(store, key, owner, bytesOf('a new answer'), LEFT_MS), true)
  assertCompleted(await store.acquire(key, newClaim(), LEFT_MS), owner, bytesOf('a new answer'))
  assert.equal(await store.forget(key), true)
  assert.deepEqual(await store.read(key), { state: 'absent' })
}

/** The first of the keys that is free: another run of the kit may be using the same server. */
async function free(store: Store, keys: readonly string[]): Promise<string> {
  for (const key of keys) if ((await store.read(key)).state === 'absent') return key
  assert.fail('none of the short keys is free')
}

const shuffled = (letters: string) => [...letters].sort(() => Math.random() - 0.5)

/** Keys, owners and fingerprints are 1 to 64 characters of base64url: all of these are names like any other. */
export const keys = area('keys', {
  'a key may be one character, a letter or a digit': async ({ open }) => {
    const store = await open()
    await live(store, await free(store, shuffled(LETTERS.slice(0, 62))))
  },

  'a key may be `-` or `_` alone, or end in them on both sides': async ({ open }) => {
    const store = await open()
    await live(store, await free(store, ['-', '_', '--', '__', '-_', '_-']))
    const middle = newKey().slice(0, 40)
    for (const end of ['-', '_']) for (const other of ['-', '_']) await live(store, end + middle + other)
    await live(store, `-${longKey().slice(0, 62)}_`)
  },

  'a key may be 64 characters, and all of them count': async ({ open }) => {
    const store = await open()
    const key = longKey()
    await live(store, key)
    const others = [
      key.slice(0, 63) + (key.endsWith('A') ? 'B' : 'A'),
      key.slice(0, 63),
      (key.startsWith('A') ? 'B' : 'A') + key.slice(1),
      key.slice(1),
    ]
    const claims = others.map(() => newClaim())
    for (const [index, other] of others.entries()) await take(store, other, claims[index]!)
    await take(store, key, newClaim())
    for (const [index, other] of others.entries()) assertLocked(await store.read(other), claims[index]!)
  },

  '`-` and `_` at the ends of a key belong to it': async ({ open }) => {
    const store = await open()
    const middle = newKey().slice(0, 40)
    const all = ['', '-', '_'].flatMap((end) => ['', '-', '_'].map((other) => end + middle + other))
    const claims = all.map(() => newClaim())
    for (const [index, key] of all.entries()) await take(store, key, claims[index]!)
    for (const [index, key] of all.entries()) assertLocked(await store.read(key), claims[index]!)
  },

  'every character of base64url is one of its own': async ({ open }) => {
    const store = await open()
    const [begin, claims] = [newKey().slice(0, 40), [...LETTERS].map(() => newClaim())]
    const keys = [...LETTERS].map((letter) => begin + letter)
    await Promise.all(keys.map((key, index) => take(store, key, claims[index]!, LONG_MS)))
    const found = await Promise.all(keys.map((key) => store.read(key)))
    for (const [index, each] of found.entries()) assertLocked(each, claims[index]!)
  },

  'owners and fingerprints may be as short, as long and as pointed as keys': async ({ open }) => {
    const store = await open()
    for (const name of ['-', '_', 'A', '0', `-${longKey().slice(0, 62)}_`, `_${longKey().slice(0, 62)}-`]) {
      const [key, claim] = [newKey(), { owner: name, fingerprint: name }]
      await take(store, key, claim)
      assertLocked(await store.read(key), claim)
      assert.equal(await store.renew(key, { ...claim, owner: `${name}A`.slice(-64) }, LONG_MS), 'lost')
      await store.leaveNote(key, name, bytesOf('an ending'), LONG_MS)
      assertBytes(await store.readNote(key, name), bytesOf('an ending'))
      await settle(store, key, claim, ANSWER)
      assertCompleted(await store.read(key), claim, ANSWER)
    }
  },

  'where a key ends and an owner begins is never guessed': async ({ open }) => {
    const store = await open()
    const [one, two, three] = [newOwner().slice(0, 20), newOwner().slice(0, 20), newOwner().slice(0, 20)]
    for (const join of ['', '-', '_', '--', '__']) {
      await store.leaveNote(`${one}${join}${two}`, three, bytesOf('an ending'), SHORT_MS)
      assert.equal(await store.readNote(one, `${two}${join}${three}`), undefined, `joined by '${join}'`)
      if (!store.append) continue
      await store.append(`${one}${join}${two}`, three, 0, bytesOf('live'), SHORT_MS)
      assert.equal(await store.tail!(one, `${two}${join}${three}`, 0), undefined, `joined by '${join}'`)
    }
  },

  'endings and logs stand under no key': async ({ open }) => {
    const store = await open()
    const [key, owner, holder] = [newOwner().slice(0, 20), newOwner().slice(0, 20), newClaim()]
    for (const join of ['', '-', '_', '--', '__', '-end-', '_end_', '-live-', '_live_']) {
      const other = `${key}${join}${owner}`
      await record(store, other, holder, ANSWER)
      await store.leaveNote(key, owner, bytesOf('an ending'), LONG_MS)
      if (store.append) await store.append(key, owner, 0, bytesOf('live'), LONG_MS)
      assertCompleted(await store.read(other), holder, ANSWER)
    }
  },
})
