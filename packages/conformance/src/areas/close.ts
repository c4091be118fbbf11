import assert from 'node:assert/strict'
import { ANSWER, commands, ends, RECONNECT_MS } from '../every-command.js'
import { area } from '../kit.js'
import {
  assertCompleted,
  assertLocked,
  bytesOf,
  eventually,
  LONG_MS,
  listen,
  newClaim,
  newKey,
  record,
  sleep,
  take,
} from '../tools.js'

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
      // Resolves when the promise has settled, either way.
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
      await store.leaveNote(locked, claim.owner, bytesOf('an ending'), LONG_MS)
      await store.close()
      assertLocked(await other.read(locked), claim)
      assertCompleted(await other.read(completed), claim, ANSWER)
      assert.ok(await other.readNote(locked, claim.owner), 'the ending is gone')
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

/** Letting go of a handle. */
export const close = [...closing, ...closingWatched, ...others, ...othersWatched, ...leaving]
