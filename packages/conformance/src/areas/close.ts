import assert from 'node:assert/strict'
import type { Store, StoreError } from '@idem/core'
import { area } from '../kit.js'
import {
  assertCompleted,
  assertLocked,
  atOnce,
  bytesOf,
  eventually,
  LONG_MS,
  listen,
  newClaim,
  newKey,
  newOwner,
  now,
  record,
  sleep,
  take,
} from '../tools.js'

const ANSWER = bytesOf('the answer')
/** How long a client may take to connect again, or a command to give up. */
const RECONNECT_MS = 6_000

/** Every command, on keys of its own. */
function commands(store: Store): (() => Promise<unknown>)[] {
  const [key, claim] = [newKey(), newClaim()]
  return [
    () => store.acquire(key, claim, LONG_MS),
    () => store.renew(newKey(), claim, LONG_MS),
    () => store.complete(newKey(), claim, ANSWER, LONG_MS),
    () => store.replace(newKey(), claim, ANSWER, LONG_MS),
    () => store.release(newKey(), claim.owner),
    () => store.forget(newKey()),
    () => store.read(newKey()),
    () => store.end(newKey(), claim.owner, ANSWER, LONG_MS),
    () => store.ending(newKey(), claim.owner),
    ...(store.append ? [() => store.append!(newKey(), claim.owner, 0, ANSWER, LONG_MS)] : []),
    ...(store.tail ? [() => store.tail!(newKey(), claim.owner, 0)] : []),
  ]
}

/** A command ends in time: with an answer, or with a StoreError and nothing else. */
async function ends(command: Promise<unknown>): Promise<void> {
  let ended = false
  const ending = command.then(
    () => {
      ended = true
    },
    (error: StoreError) => {
      ended = true
      assert.equal(error?.code, 'IDEM_STORE_ERROR', `a command failed with what is no StoreError: ${error}`)
      assert.ok(['none', 'unknown', 'done'].includes(error.effect), `its effect is ${error.effect}`)
    },
  )
  ending.catch(() => {}) // Awaited below; another may fail first.
  await eventually('a command never ended', async () => ended || undefined, RECONNECT_MS)
  await ending
}

const closing = area(
  'close',
  {
    'close() may be called twice, also at once': async ({ openAlone }) => {
      const store = await openAlone()
      await take(store, newKey(), newClaim())
      await Promise.all([store.close(), store.close()])
      await store.close()
    },

    'a command after close() is answered or rejects with a StoreError': async ({ openAlone }) => {
      const store = await openAlone()
      await store.close()
      for (const command of commands(store)) await ends(Promise.resolve().then(command))
      await ends(Promise.resolve().then(() => store.ready()))
    },

    'commands that run when close() is called end': async ({ openAlone }) => {
      const store = await openAlone()
      await store.ready()
      const running = commands(store).map((command) => ends(command()))
      await Promise.all([store.close(), ...running])
    },
  },
  'openAlone',
)

const closingWatched = area(
  'close',
  {
    'a watcher can be stopped after close(), and its `ready` has ended': async ({ openAlone }) => {
      const store = await openAlone()
      const [heard, late] = [await listen(store, newKey()), store.watch!(newKey(), () => {})]
      await store.close()
      heard.stop()
      late.stop()
      heard.stop()
      // Resolved or rejected, but no longer waited for.
      await ends(late.ready.catch(() => {}))
    },
  },
  'openAlone',
  'watch',
)

const others = area(
  'close',
  {
    'close() of one handle leaves locks, records and endings to the others': async ({ open, openAlone }) => {
      const [store, other] = [await openAlone(), await open()]
      const [locked, completed, claim] = [newKey(), newKey(), newClaim()]
      await take(store, locked, claim)
      await record(store, completed, claim, ANSWER)
      await store.end(locked, claim.owner, bytesOf('an ending'), LONG_MS)
      await store.close()
      assertLocked(await other.read(locked), claim)
      assertCompleted(await other.read(completed), claim, ANSWER)
      assert.ok(await other.ending(locked, claim.owner), 'the ending is gone')
      assert.equal(await other.renew(locked, claim, LONG_MS), 'held')
    },
  },
  'handles',
)

const othersWatched = area(
  'close',
  {
    'close() of one handle ends its watchers and no others': async ({ open }) => {
      const [store, other, third] = [await open(), await open(), await open()]
      const [key, owner] = [newKey(), newClaim()]
      const [closed, listening] = [await listen(store, key), await listen(other, key)]
      await store.close()
      await third.complete(key, owner, ANSWER, LONG_MS)
      await listening.heard('settled', owner.owner)
      await sleep(50)
      assert.deepEqual(closed.hints, [], 'the closed handle heard')
      closed.stop()
      listening.stop()
    },
  },
  'handles',
  'watch',
)

const leaving = area(
  'close',
  {
    'a process whose handle is closed ends by itself: nothing is left open': async ({ fork }) => {
      const { store, leave } = await fork()
      await record(store, newKey(), newClaim(), ANSWER)
      if (store.watch) {
        const [stopped, left] = [store.watch(newKey(), () => {}), store.watch(newKey(), () => {})]
        await Promise.all([stopped.ready, left.ready])
        stopped.stop()
      }
      let ended = false
      const leaving = leave().then(() => {
        ended = true
      })
      await eventually('the process did not end', async () => ended || undefined, RECONNECT_MS)
      await leaving
    },
  },
  'fork',
)

const reconnecting = area(
  'close',
  {
    'after its connections broke, a handle is ready again and answers': async ({ open, disrupt }) => {
      const [store, other] = [await open(), await open()]
      const [key, claim] = [newKey(), newClaim()]
      await store.ready()
      await disrupt(store)
      await eventually('the handle never answered again', () => answered(() => store.ready()), RECONNECT_MS)
      const taken = await eventually(
        'the handle never took a lock again',
        () => answered(() => store.acquire(key, claim, LONG_MS)),
        RECONNECT_MS,
      )
      if (taken.state !== 'acquired') assertLocked(taken, claim)
      assertLocked(await other.read(key), claim)
    },

    'a lock outlives the connection it was taken over': async ({ open, disrupt }) => {
      const [store, other] = [await open(), await open()]
      const [key, claim] = [newKey(), newClaim()]
      await take(store, key, claim)
      await disrupt(store)
      await sleep(100)
      assertLocked(await other.read(key), claim)
      const renewed = () => answered(() => store.renew(key, claim, LONG_MS))
      assert.equal(await eventually('the handle never renewed again', renewed, RECONNECT_MS), 'held')
    },

    'commands that run when the connections break end, with an answer or a StoreError': async ({
      open,
      disrupt,
    }) => {
      const store = await open()
      await store.ready()
      const running = [1, 2, 3].flatMap(() => commands(store).map((command) => ends(command())))
      await disrupt(store)
      const later = commands(store).map((command) => ends(command()))
      await Promise.all([...running, ...later])
    },

    'what one handle suffers does not touch another': async ({ open, disrupt }) => {
      const [store, other] = [await open(), await open()]
      await Promise.all([store.ready(), other.ready()])
      await disrupt(store)
      await atOnce(5, () => take(other, newKey(), newClaim()))
    },
  },
  'handles',
  'disrupt',
)

const reconnectingWatched = area(
  'close',
  {
    'a watcher hears again after the connections broke': async ({ open, disrupt }) => {
      const [store, other] = [await open(), await open()]
      const key = newKey()
      const listening = await listen(store, key)
      await disrupt(store)
      const since = now()
      await eventually(
        'the watcher never heard again',
        async () => {
          const claim = { owner: newOwner(), fingerprint: newKey() }
          await take(other, key, claim)
          await other.release(key, claim.owner)
          await sleep(40)
          return listening.hints.some(({ owner }) => owner === claim.owner) || undefined
        },
        RECONNECT_MS,
      )
      assert.ok(now() - since < RECONNECT_MS)
      listening.stop()
    },
  },
  'handles',
  'disrupt',
  'watch',
)

/** What `command` answers; undefined where it fails as a store may. */
async function answered<T>(command: () => Promise<T>): Promise<(T extends void ? true : T) | undefined> {
  try {
    return ((await command()) ?? true) as T extends void ? true : T
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'IDEM_STORE_ERROR', `${error}`)
    return undefined
  }
}

/** Letting go of a handle, and connections that break. */
export const close = [
  ...closing,
  ...closingWatched,
  ...others,
  ...othersWatched,
  ...leaving,
  ...reconnecting,
  ...reconnectingWatched,
]
