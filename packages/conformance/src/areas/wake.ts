import assert from 'node:assert/strict'
import { area } from '../kit.js'
import {
  assertCompleted,
  atOnce,
  bytesOf,
  eventually,
  LONG_MS,
  listen,
  newClaim,
  newKey,
  now,
  PATIENCE_MS,
  sleep,
  take,
} from '../tools.js'

const ANSWER = bytesOf('the answer')

const watching = area(
  'wake',
  {
    'a completion wakes a watcher and names the owner whose record stands': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newClaim()]
      await take(store, key, owner)
      const listening = await listen(store, key)
      await store.complete(key, owner, ANSWER, LONG_MS)
      await listening.heard('settled', owner.owner)
      listening.stop()
    },

    'a release wakes a watcher and names the owner that gave up': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newClaim()]
      await take(store, key, owner)
      const listening = await listen(store, key)
      await store.release(key, owner.owner)
      await listening.heard('ended', owner.owner)
      listening.stop()
    },

    'a renewal tells a watcher that the owner is at work': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newClaim()]
      await take(store, key, owner)
      const listening = await listen(store, key)
      await store.renew(key, owner, LONG_MS)
      await listening.heard('held', owner.owner)
      listening.stop()
    },

    'a renewal that takes the lock back tells the same': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newClaim()]
      const listening = await listen(store, key)
      await store.renew(key, owner, LONG_MS)
      await listening.heard('held', owner.owner)
      listening.stop()
    },

    'a renewal that is refused tells no watcher anything': async ({ open }) => {
      const store = await open()
      const [key, owner, other] = [newKey(), newClaim(), newClaim()]
      await take(store, key, owner)
      const listening = await listen(store, key)
      await store.renew(key, other, LONG_MS)
      await store.complete(key, owner, ANSWER, LONG_MS)
      await store.renew(key, other, LONG_MS)
      await listening.heard('settled', owner.owner)
      // Hints of one key come in order: whatever the renewals told has come by now.
      await store.complete(key, owner, ANSWER, LONG_MS, { over: true })
      const settled = () => listening.hints.filter(({ type }) => type === 'settled').length
      await eventually('the second completion was not heard', async () => settled() >= 2 || undefined)
      assert.ok(!listening.hints.some(({ type }) => type === 'held'))
      listening.stop()
    },

    'a hint reaches a watcher in another process': async ({ open }) => {
      const [one, other] = [await open(), await open()]
      const [key, owner] = [newKey(), newClaim()]
      const listening = await listen(other, key)
      await take(one, key, owner)
      await one.complete(key, owner, ANSWER, LONG_MS)
      await listening.heard('settled', owner.owner)
      listening.stop()
    },

    'a watcher of another key hears nothing': async ({ open }) => {
      const store = await open()
      const [key, otherKey, owner, otherOwner] = [newKey(), newKey(), newClaim(), newClaim()]
      const [listening, other] = [await listen(store, key), await listen(store, otherKey)]
      await store.complete(key, owner, ANSWER, LONG_MS)
      await listening.heard('settled', owner.owner)
      // The other listener hears this one, and only after everything that it must not hear.
      await store.complete(otherKey, otherOwner, ANSWER, LONG_MS)
      await other.heard('settled', otherOwner.owner)
      assert.deepEqual([...new Set(other.hints.map((hint) => hint.owner))], [otherOwner.owner])
      listening.stop()
      other.stop()
    },

    'after stop() nothing is heard': async ({ open }) => {
      const [one, other] = [await open(), await open()]
      const [key, owner] = [newKey(), newClaim()]
      const [stopped, listening] = [await listen(one, key), await listen(other, key)]
      await take(one, key, owner)
      stopped.stop()
      await one.complete(key, owner, ANSWER, LONG_MS)
      await listening.heard('settled', owner.owner)
      await sleep(50)
      assert.ok(!stopped.hints.some((hint) => hint.owner === owner.owner), 'the stopped watcher heard')
      listening.stop()
    },

    'two watchers of one key both hear': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newClaim()]
      const [first, second] = [await listen(store, key), await listen(store, key)]
      await store.complete(key, owner, ANSWER, LONG_MS)
      await first.heard('settled', owner.owner)
      await second.heard('settled', owner.owner)
      first.stop()
      second.stop()
    },

    'stopping one watcher, even twice, leaves the other of the same key': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newClaim()]
      const [first, second] = [await listen(store, key), await listen(store, key)]
      first.stop()
      first.stop()
      await store.complete(key, owner, ANSWER, LONG_MS)
      await second.heard('settled', owner.owner)
      second.stop()
    },

    'a key can be watched again after the last watcher stopped': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newClaim()]
      const first = await listen(store, key)
      first.stop()
      const again = await listen(store, key)
      first.stop()
      await store.complete(key, owner, ANSWER, LONG_MS)
      await again.heard('settled', owner.owner)
      again.stop()
    },

    'what happens right after `ready` is heard': async ({ open }) => {
      const [one, other] = [await open(), await open()]
      await atOnce(10, async () => {
        const [key, owner] = [newKey(), newClaim()]
        const listening = await listen(other, key)
        await one.complete(key, owner, ANSWER, LONG_MS)
        await listening.heard('settled', owner.owner)
        listening.stop()
      })
    },
  },
  'watch',
)

const polling = area('wake', {
  'a waiter that only polls sees the release and the completion of another process': async ({ open }) => {
    const [one, other] = [await open(), await open()]
    const [key, first, second, waiter] = [newKey(), newClaim(), newClaim(), newClaim()]
    const look = async (state: string) => {
      const deadline = now() + PATIENCE_MS
      for (;;) {
        const found = await other.acquire(key, waiter, LONG_MS)
        if (found.state === state) return found
        assert.ok(now() < deadline, `the key never was ${state}; it is ${found.state}`)
        await sleep(15)
      }
    }
    await take(one, key, first)
    await look('locked')
    await one.release(key, first.owner)
    await look('acquired')
    await other.release(key, waiter.owner)
    await take(one, key, second)
    await one.complete(key, second, ANSWER, LONG_MS)
    assertCompleted(await look('completed'), second, ANSWER)
  },
})

const absent = area(
  'wake',
  {
    'a store without watch() has nothing in its place, so that waiters poll': async ({ open }) => {
      assert.equal((await open()).watch, undefined)
    },
  },
  'no watch',
)

/** Hints that something happened to a key; a store without `watch` is polled. */
export const wake = [...watching, ...polling, ...absent]
