import assert from 'node:assert/strict'
import { assertReports, assertSame } from '../boards.js'
import { area } from '../kit.js'
import {
  assertBytes,
  assertCompleted,
  assertLocked,
  atOnce,
  bytesOf,
  LONG_MS,
  newClaim,
  newKey,
  newOwner,
  record,
  take,
  writeOver,
} from '../tools.js'

const REPORT = bytesOf('a report')
/** How long what a test leaves on a board of a short name may stay: such names are not random. */
const LEFT_MS = 1_000

const boards = area(
  'reports',
  {
    'a store with report() has reports() too': async ({ open }) => {
      assert.equal(typeof (await open()).reports, 'function')
    },

    'where there is no board there are no reports': async ({ open }) => {
      const store = await open()
      const [locked, completed, claim] = [newKey(), newKey(), newClaim()]
      await take(store, locked, claim)
      await record(store, completed, claim, REPORT)
      for (const board of [newKey(), locked, completed]) assert.deepEqual(await store.reports!(board), [])
    },

    'every byte value comes back from a report': async ({ open }) => {
      const store = await open()
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      const texts = ['\n', '\r\n', '\0', ' spaces ', 'null', '{}', '0'].map(bytesOf)
      const reports = [all, all.toReversed(), Buffer.from('c328e28af0288cbceda080fffe', 'hex'), ...texts]
      const board = newKey()
      for (const report of reports) await store.report!(board, newOwner(), report, LONG_MS)
      await assertReports(store, board, reports)
    },

    'a report of no bytes is a report': async ({ open }) => {
      const store = await open()
      const board = newKey()
      await store.report!(board, newOwner(), new Uint8Array(), LONG_MS)
      await assertReports(store, board, [new Uint8Array()])
    },

    'a report of 64 KiB comes back whole': async ({ open }) => {
      const store = await open()
      const [board, large] = [newKey(), Buffer.alloc(64 * 1024, 'report ')]
      await store.report!(board, newOwner(), large, LONG_MS)
      await assertReports(store, board, [large])
    },

    'a report written again under its name stands once, with the newer bytes': async ({ open }) => {
      const [one, other] = [await open(), await open()]
      const [board, name] = [newKey(), newOwner()]
      await one.report!(board, name, bytesOf('the first'), LONG_MS)
      await one.report!(board, newOwner(), REPORT, LONG_MS)
      for (const text of ['the second, longer', 'third', 'third', '']) {
        await other.report!(board, name, bytesOf(text), LONG_MS)
        await assertReports(one, board, [bytesOf(text), REPORT])
      }
    },

    'reports of many names are all there, whichever handle wrote them': async ({ open }) => {
      const handles = [await open(), await open()] as const
      const [board, names] = [newKey(), Array.from({ length: 150 }, newOwner)]
      for (const [index, name] of names.entries()) {
        await handles[index % 2 ? 1 : 0].report!(board, name, bytesOf(name), LONG_MS)
      }
      for (const handle of handles) await assertReports(handle, board, names.map(bytesOf))
    },

    'a report may have any name that a key may have, and all of it counts': async ({ open }) => {
      const store = await open()
      const [board, long] = [newKey(), newKey().repeat(2).slice(0, 63)]
      const short = ['-', '_', '0', '1', '01', 'A', 'a', 'AA', '__proto__', 'constructor']
      const names = [...short, long, `${long}A`, `${long}B`, `-${long.slice(1)}`, `_${long.slice(1)}`]
      for (const name of names) await store.report!(board, name, bytesOf(name), LONG_MS)
      await assertReports(store, board, names.map(bytesOf))
    },

    'a board may have any name that a key may have, and is apart from every other': async ({ open }) => {
      const store = await open()
      const [name, some, long] = [newOwner(), newKey().slice(0, 40), newKey().repeat(2).slice(0, 63)]
      const ends = [
        some,
        `${some}A`,
        `${some}a`,
        `-${some}`,
        `${some}-`,
        `_${some}`,
        `${some}_`,
        some.slice(1),
      ]
      const boards = [...ends, long, `${long}A`, `${long}B`]
      for (const board of boards) await store.report!(board, name, bytesOf(board), LONG_MS)
      for (const board of boards) await assertReports(store, board, [bytesOf(board)])
      for (const board of ['-', '_', 'A', '0', '__proto__']) {
        const mine = bytesOf(`${name} ${board}`)
        await store.report!(board, name, mine, LEFT_MS)
        // Another run of the kit may report there too.
        const found = (await store.reports!(board)).filter((report) => Buffer.compare(report, mine) === 0)
        assert.equal(found.length, 1, `the board ${board}`)
      }
    },

    'a report leaves the key of its board’s name alone: lock, record, ending and log': async ({ open }) => {
      const store = await open()
      const [absent, locked, completed, left] = [newKey(), newKey(), newKey(), newKey()]
      const claim = newClaim()
      const { owner } = claim
      await take(store, locked, claim)
      await record(store, completed, claim, bytesOf('the answer'))
      await store.leaveNote(left, owner, bytesOf('an ending'), LONG_MS)
      await store.append?.(left, owner, 0, bytesOf('live'), LONG_MS)
      for (const board of [absent, locked, completed, left]) {
        for (const name of [owner, newOwner()]) await store.report!(board, name, REPORT, LONG_MS)
      }
      assert.deepEqual(await store.read(absent), { state: 'absent' })
      assertLocked(await store.read(locked), claim)
      assert.equal(await store.renew(locked, claim, LONG_MS), 'held')
      assertCompleted(await store.read(completed), claim, bytesOf('the answer'))
      assertBytes(await store.readNote(left, owner), bytesOf('an ending'))
      if (store.append) assertBytes(await store.tail!(left, owner, 0), bytesOf('live'))
    },

    'nothing that happens to a key touches the board of its name': async ({ open }) => {
      const store = await open()
      const [released, completed, voided, left] = [newKey(), newKey(), newKey(), newKey()]
      const claim = newClaim()
      const { owner } = claim
      for (const board of [released, completed, voided, left]) {
        await store.report!(board, owner, REPORT, LONG_MS)
      }
      for (const key of [released, completed, voided]) await take(store, key, claim)
      await store.release(released, owner)
      await store.complete(completed, claim, bytesOf('the answer'), LONG_MS)
      await writeOver(store, completed, claim, bytesOf('a new answer'), LONG_MS)
      await store.forget(completed)
      await store.forget(voided)
      await store.renew(voided, claim, LONG_MS)
      await store.release(voided, owner)
      await store.leaveNote(left, owner, bytesOf('an ending'), LONG_MS)
      await store.append?.(left, owner, 0, bytesOf('live'), LONG_MS)
      for (const board of [released, completed, voided, left]) await assertReports(store, board, [REPORT])
    },

    'what caller and reader do to their buffers changes no report': async ({ open }) => {
      const store = await open()
      // A Buffer too: its slice() is no copy.
      for (const buffer of [bytesOf('a report'), Buffer.from('a report')]) {
        const board = newKey()
        await store.report!(board, newOwner(), buffer, LONG_MS)
        buffer.fill(0)
        const found = await store.reports!(board)
        assertSame(found, [REPORT])
        found[0]!.fill(0)
        found.pop()
        await assertReports(store, board, [REPORT])
      }
    },

    'a view of a larger buffer is reported as what it shows': async ({ open }) => {
      const store = await open()
      const [board, shown] = [newKey(), bytesOf('before|a report|after').subarray(7, 15)]
      await store.report!(board, newOwner(), shown, LONG_MS)
      await assertReports(store, board, [REPORT])
    },

    'of many reports at once none is lost': async ({ open }) => {
      const handles = [await open(), await open()] as const
      for (const _round of [1, 2]) {
        const [board, names] = [newKey(), Array.from({ length: 60 }, newOwner)]
        await atOnce(60, (index) =>
          handles[index % 2 ? 1 : 0].report!(board, names[index]!, bytesOf(names[index]!), LONG_MS),
        )
        for (const handle of handles) await assertReports(handle, board, names.map(bytesOf))
      }
    },
  },
  'report',
)

const absent = area(
  'reports',
  {
    'a store without report() has no reports() either': async ({ open }) => {
      const { report, reports } = await open()
      assert.deepEqual({ report, reports }, { report: undefined, reports: undefined })
    },
  },
  'no report',
)

/** The reports of a fleet's processes on a board, each under its own name. */
export const reports = [...boards, ...absent]
