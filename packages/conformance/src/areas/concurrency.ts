import assert from 'node:assert/strict'
import type { Claim, Store } from '@idem/core/store'
import { area } from '../kit.js'
import {
  assertBytes,
  assertCompleted,
  assertLocked,
  assertNotEarly,
  atOnce,
  bytesOf,
  eventually,
  inTime,
  LONG_MS,
  listen,
  newClaim,
  newKey,
  newOwner,
  now,
  record,
  SHORT_MS,
  settle,
  sleep,
  take,
  takeLapsed,
} from '../tools.js'

const ANSWER = bytesOf('the answer')

type StoreOf = (index: number) => Promise<Store>

/**
 * Has two processes do the same at the same time, again and again. `storeOf` gives the store of the one or the other;
 * that of this process a little later each time, over about as long as the other one takes to be told.
 */
async function meeting(here: Store, there: Store, work: (storeOf: StoreOf) => Promise<void>): Promise<void> {
  for (const _round of [1, 2, 3]) {
    const since = now()
    await there.read(newKey())
    const tripMs = Math.min(now() - since, 200)
    await atOnce(8, (turn) =>
      work(async (index) => {
        if (index % 2 === 1) return there
        await sleep((tripMs * turn) / 5)
        return here
      }),
    )
  }
}

const processes = area(
  'concurrency',
  {
    'what one process writes another finds: lock, record, void lock and ending': async ({
      open,
      elsewhere,
    }) => {
      const [here, there] = [await open(), await elsewhere()]
      const [locked, completed, forgotten, claim] = [newKey(), newKey(), newKey(), newClaim()]
      await take(here, locked, claim)
      await record(there, completed, claim, ANSWER)
      await take(here, forgotten, claim)
      assert.equal(await there.forget(forgotten), true)
      await there.leaveNote(locked, claim.owner, bytesOf('an ending'), LONG_MS)
      assertLocked(await there.acquire(locked, newClaim(), LONG_MS), claim)
      assertCompleted(await here.read(completed), claim, ANSWER)
      assert.equal((await here.complete(forgotten, claim, ANSWER, LONG_MS)).state, 'refused')
      assertBytes(await here.readNote(locked, claim.owner), bytesOf('an ending'))
      assert.equal(await there.release(locked, newOwner()), false)
      assert.equal(await there.release(locked, claim.owner), true)
      await take(here, locked, newClaim())
    },

    'of many acquires in two processes at once one gets the lock': async ({ open, elsewhere }) => {
      await meeting(await open(), await elsewhere(), async (storeOf) => {
        const key = newKey()
        const all = await atOnce(10, async (index) => {
          const [claim, store] = [newClaim(), await storeOf(index)]
          return { claim, found: await store.acquire(key, claim, LONG_MS) }
        })
        const winners = all.filter(({ found }) => found.state === 'acquired')
        assert.equal(winners.length, 1, `${winners.length} of 10 got the lock`)
        for (const each of all) if (each !== winners[0]) assertLocked(each.found, winners[0]!.claim)
      })
    },

    'of many completions in two processes at once one is stored, and all are given it': async ({
      open,
      elsewhere,
    }) => {
      const stores = [await open(), await elsewhere()] as const
      await meeting(...stores, async (storeOf) => {
        const [key, { fingerprint }] = [newKey(), newClaim()]
        const all = await atOnce(8, async (index) => {
          const [claim, store] = [newClaim(fingerprint), await storeOf(index)]
          const completed = await store.complete(key, claim, bytesOf(claim.owner), LONG_MS)
          return { claim, completed }
        })
        const winners = all.filter(({ completed }) => completed.state === 'stored')
        assert.equal(winners.length, 1, `${winners.length} of 8 were stored`)
        const { claim } = winners[0]!
        for (const store of stores) assertCompleted(await store.read(key), claim, bytesOf(claim.owner))
        for (const { completed } of all) {
          if (completed.state === 'standing') assert.equal(completed.record.owner, claim.owner)
          else assert.equal(completed.state, 'stored')
        }
      })
    },

    'of many that take over in two processes at once one gets the lock, and the stale owner loses it':
      async ({ open, elsewhere }) => {
        const stores = [await open(), await elsewhere()] as const
        await meeting(...stores, async (storeOf) => {
          const [key, stale] = [newKey(), newClaim()]
          await take(stores[1], key, stale, SHORT_MS)
          await sleep(SHORT_MS + 20)
          const taken: Claim[] = []
          await eventually('the lease never lapsed', async () => {
            await atOnce(6, async (index) => {
              const [claim, store] = [newClaim(stale.fingerprint), await storeOf(index)]
              const { state } = await store.acquire(key, claim, LONG_MS)
              if (state === 'acquired') taken.push(claim)
            })
            return taken.length > 0 || undefined
          })
          assert.equal(taken.length, 1, `${taken.length} took the lock over`)
          assert.equal(await stores[1].renew(key, stale, LONG_MS), 'lost')
          assert.equal(await stores[1].release(key, stale.owner), false)
          for (const store of stores) assertLocked(await store.read(key), taken[0]!)
        })
      },

    'the lock of a process that is killed is held for its lease, and can be taken after it': async ({
      open,
      fork,
    }) => {
      const here = await open()
      await inTime(async (ms) => {
        const { store: there, kill } = await fork()
        const [key, killed, since] = [newKey(), newClaim(), now()]
        await take(there, key, killed, 2 * ms)
        await kill()
        if ((await here.read(key)).state === 'absent') {
          // Did the store let go early, or was this machine late?
          assertNotEarly(now(), since, 2 * ms)
          return false
        }
        const takenAt = await takeLapsed(here, key, newClaim(), {
          meanwhile: (found) => assertLocked(found, killed),
        })
        assertNotEarly(takenAt, since, 2 * ms)
        return true
      })
    },

    'what a process that is killed has stored stays': async ({ open, fork }) => {
      const [here, { store: there, kill }] = [await open(), await fork()]
      const [completed, ended, claim] = [newKey(), newKey(), newClaim()]
      await record(there, completed, claim, ANSWER)
      await there.leaveNote(ended, claim.owner, bytesOf('an ending'), LONG_MS)
      await kill()
      await sleep(200) // As long as it takes to notice that the process is gone.
      assertCompleted(await here.read(completed), claim, ANSWER)
      assertBytes(await here.readNote(ended, claim.owner), bytesOf('an ending'))
    },

    'a process whose clock is an hour ahead neither takes a lock early nor keeps one too long': async ({
      open,
      fork,
    }) => {
      const [here, { store: ahead }] = [await open(), await fork({ clockAheadMs: 3_600_000 })]
      const [locked, completed, holder] = [newKey(), newKey(), newClaim()]
      await take(here, locked, holder)
      await record(here, completed, holder, ANSWER)
      assertLocked(await ahead.acquire(locked, newClaim(), LONG_MS), holder)
      assertCompleted(await ahead.acquire(completed, newClaim(), LONG_MS), holder, ANSWER)
      const [lapsing, expiring, claim] = [newKey(), newKey(), newClaim()]
      await take(ahead, lapsing, claim, SHORT_MS)
      await settle(ahead, expiring, claim, ANSWER, SHORT_MS)
      await Promise.all([takeLapsed(here, lapsing, newClaim()), takeLapsed(here, expiring, newClaim())])
      const [theirs, mine] = [newKey(), newClaim()]
      await take(ahead, theirs, claim)
      assertLocked(await here.acquire(theirs, mine, LONG_MS), claim)
    },
  },
  'fork',
)

const watched = area(
  'concurrency',
  {
    'a watcher is woken by another process, whichever of them it is': async ({ open, elsewhere }) => {
      const [here, there] = [await open(), await elsewhere()]
      for (const [one, other] of [
        [here, there],
        [there, here],
      ] as const) {
        const [released, completed, claim] = [newKey(), newKey(), newClaim()]
        const [first, second] = [await listen(other, released), await listen(other, completed)]
        await take(one, released, claim)
        await one.release(released, claim.owner)
        await settle(one, completed, claim, ANSWER)
        await Promise.all([first.heard('ended', claim.owner), second.heard('settled', claim.owner)])
        first.stop()
        second.stop()
      }
    },
  },
  'fork',
  'watch',
)

const appended = area(
  'concurrency',
  {
    'a log grows in one process and is followed in another': async ({ open, elsewhere }) => {
      const [here, there] = [await open(), await elsewhere()]
      const [key, owner] = [newKey(), newOwner()]
      let length = 0
      for (const part of ['one ', 'two ', 'three']) {
        length = await there.append!(key, owner, length, bytesOf(part), LONG_MS)
        assertBytes(await here.tail!(key, owner, length - part.length), bytesOf(part))
      }
      assertBytes(await here.tail!(key, owner, 0), bytesOf('one two three'))
      assert.equal(await here.append!(key, owner, 0, bytesOf('one '), LONG_MS), 4)
    },

    'of appends of two processes at one offset exactly one is written': async ({ open, elsewhere }) => {
      const stores = [await open(), await elsewhere()] as const
      const parts = [Buffer.alloc(3, 65), Buffer.alloc(5, 66)] as const
      await meeting(...stores, async (storeOf) => {
        const [key, owner] = [newKey(), newOwner()]
        const answers = await atOnce(2, async (index) => {
          const store = await storeOf(index)
          return store.append!(key, owner, 0, parts[index]!, LONG_MS)
        })
        const winners = parts.filter((part, index) => answers[index] === part.byteLength)
        assert.equal(winners.length, 1, `${winners.length} of 2 were written`)
        assertBytes(await stores[0].tail!(key, owner, 0), winners[0]!)
      })
    },
  },
  'fork',
  'append',
)

/** Two processes over the same data: what a lock inside one process does not protect. */
export const concurrency = [...processes, ...watched, ...appended]
