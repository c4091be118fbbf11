import { assertReports, untilGone } from '../boards.js'
import { area } from '../kit.js'
import {
  assertNotEarly,
  atOnce,
  bytesOf,
  inTime,
  LIFE_MS,
  LONG_MS,
  newKey,
  newOwner,
  now,
  SHORT_MS,
} from '../tools.js'

const REPORT = bytesOf('a report')

const lives = area(
  'reports',
  {
    'a board lives as long as its last report said, and is gone after it': async ({ open }) => {
      const store = await open()
      const board = newKey()
      await store.report!(board, newOwner(), bytesOf('one'), LONG_MS)
      const since = now()
      await store.report!(board, newOwner(), bytesOf('two'), LIFE_MS)
      await untilGone(store, board, [bytesOf('one'), bytesOf('two')])
      assertNotEarly(now(), since, LIFE_MS)
    },

    'each report gives the whole board another life': async ({ open }) => {
      const store = await open()
      await inTime(async (ms) => {
        const [board, both] = [newKey(), [bytesOf('one'), bytesOf('two')]]
        await store.report!(board, newOwner(), both[0]!, ms)
        const since = now()
        await store.report!(board, newOwner(), both[1]!, 2 * ms)
        if ((await store.reports!(board)).length !== 2) return false
        await untilGone(store, board, both)
        assertNotEarly(now(), since, 2 * ms)
        return true
      })
    },

    'a board that is gone begins anew, without its old reports': async ({ open }) => {
      const store = await open()
      const board = newKey()
      await store.report!(board, newOwner(), bytesOf('old'), SHORT_MS)
      await untilGone(store, board, [bytesOf('old')])
      await store.report!(board, newOwner(), bytesOf('new'), LONG_MS)
      await assertReports(store, board, [bytesOf('new')])
    },
  },
  'report',
)

const processes = area(
  'reports',
  {
    'a report is read in every process, and outlives the one that wrote it': async ({ open, fork }) => {
      const [here, { store: there, kill }] = [await open(), await fork()]
      const [board, both] = [newKey(), [bytesOf('of one'), bytesOf('of the other')]]
      await there.report!(board, newOwner(), both[0]!, LONG_MS)
      await assertReports(here, board, [both[0]!])
      await here.report!(board, newOwner(), both[1]!, LONG_MS)
      await assertReports(there, board, both)
      await kill()
      await assertReports(here, board, both)
    },

    'of reports of three processes at once none is lost': async ({ open, elsewhere, fork }) => {
      const stores = [await open(), await elsewhere(), (await fork()).store]
      for (const _round of [1, 2, 3]) {
        const [board, names] = [newKey(), Array.from({ length: 30 }, newOwner)]
        await atOnce(30, (index) =>
          stores[index % 3]!.report!(board, names[index]!, bytesOf(names[index]!), LONG_MS),
        )
        for (const store of stores) await assertReports(store, board, names.map(bytesOf))
      }
    },

    'a process whose clock is an hour ahead neither loses a board early nor keeps one too long': async ({
      open,
      fork,
    }) => {
      const [here, { store: ahead }] = [await open(), await fork({ clockAheadMs: 3_600_000 })]
      const [mine, theirs, lapsing] = [newKey(), newKey(), newKey()]
      await here.report!(mine, newOwner(), REPORT, LONG_MS)
      await assertReports(ahead, mine, [REPORT])
      await ahead.report!(theirs, newOwner(), REPORT, LONG_MS)
      await assertReports(here, theirs, [REPORT])
      await ahead.report!(lapsing, newOwner(), REPORT, SHORT_MS)
      await untilGone(here, lapsing, [REPORT])
    },
  },
  'fork',
  'report',
)

/** How long boards live, and across several processes. */
export const reportLives = [...lives, ...processes]
