import assert from 'node:assert/strict'
import { commands, ends, RECONNECT_MS } from '../every-command.js'
import { area } from '../kit.js'
import {
  assertLocked,
  atOnce,
  eventually,
  LONG_MS,
  listen,
  newClaim,
  newKey,
  newOwner,
  now,
  sleep,
  take,
} from '../tools.js'

const reconnecting = area(
  'close',
  {
    'after its connections broke, a handle is ready again and answers': async ({ open, disrupt }) => {
      const [store, other] = [await open(), await open()]
      const [key, claim] = [newKey(), newClaim()]
      await store.ready()
      await disrupt(store)
      await eventually(
        'the handle never answered again',
        () => answered(async () => store.ready()),
        RECONNECT_MS,
      )
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

/** The answer of `command`; undefined where it fails in a way that a store may. */
async function answered<T>(command: () => Promise<T>): Promise<(T extends void ? true : T) | undefined> {
  try {
    return ((await command()) ?? true) as T extends void ? true : T
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'IDEM_STORE_ERROR', `${error}`)
    return undefined
  }
}

/** Connections that break, and come back. */
export const reconnect = [...reconnecting, ...reconnectingWatched]
