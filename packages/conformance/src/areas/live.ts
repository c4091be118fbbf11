import assert from 'node:assert/strict'
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
  newClaim,
  newKey,
  newOwner,
  now,
  record,
  SHORT_MS,
  take,
} from '../tools.js'

const NONE = new Uint8Array()

const log = area(
  'live',
  {
    'a store with append() has tail() too': async ({ open }) => {
      assert.equal(typeof (await open()).tail, 'function')
    },

    'each append answers how long the log is now, and tail gives all of it': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newOwner()]
      assert.equal(await store.append!(key, owner, 0, bytesOf('one '), LONG_MS), 4)
      assert.equal(await store.append!(key, owner, 4, bytesOf('two '), LONG_MS), 8)
      assert.equal(await store.append!(key, owner, 8, bytesOf('three'), LONG_MS), 13)
      assertBytes(await store.tail!(key, owner, 0), bytesOf('one two three'))
    },

    'tail gives the log from any offset, and nothing at its end': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newOwner()]
      await store.append!(key, owner, 0, bytesOf('one '), LONG_MS)
      await store.append!(key, owner, 4, bytesOf('two'), LONG_MS)
      for (let from = 0; from <= 7; from++) {
        assertBytes(await store.tail!(key, owner, from), bytesOf('one two'.slice(from)))
      }
    },

    'where there is no log, tail gives undefined': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newClaim()]
      assert.equal(await store.tail!(key, owner.owner, 0), undefined)
      assert.equal(await store.tail!(key, owner.owner, 7), undefined)
      await take(store, key, owner)
      assert.equal(await store.tail!(key, owner.owner, 0), undefined)
    },

    'what one process appends another reads and goes on with': async ({ open }) => {
      const [one, other] = [await open(), await open()]
      const [key, owner] = [newKey(), newOwner()]
      await one.append!(key, owner, 0, bytesOf('one '), LONG_MS)
      assertBytes(await other.tail!(key, owner, 0), bytesOf('one '))
      assert.equal(await other.append!(key, owner, 4, bytesOf('two'), LONG_MS), 7)
      assertBytes(await one.tail!(key, owner, 4), bytesOf('two'))
    },

    'the same bytes again are a success and are not doubled': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newOwner()]
      await store.append!(key, owner, 0, bytesOf('one '), LONG_MS)
      assert.equal(await store.append!(key, owner, 0, bytesOf('one '), LONG_MS), 4)
      await store.append!(key, owner, 4, bytesOf('two three'), LONG_MS)
      assert.equal(await store.append!(key, owner, 4, bytesOf('two three'), LONG_MS), 13)
      // Also if the log has grown meanwhile.
      assert.equal(await store.append!(key, owner, 0, bytesOf('one '), LONG_MS), 4)
      assert.equal(await store.append!(key, owner, 4, bytesOf('two '), LONG_MS), 8)
      assertBytes(await store.tail!(key, owner, 0), bytesOf('one two three'))
    },

    'other bytes at an offset the log has passed write nothing': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newOwner()]
      await store.append!(key, owner, 0, bytesOf('one two three'), LONG_MS)
      for (const [offset, text] of [
        [0, 'One'],
        [4, 'twO'],
        [8, 'thre_'],
        [0, 'one twx'],
        [1, 'xe '],
      ] as const) {
        assert.equal(
          await store.append!(key, owner, offset, bytesOf(text), LONG_MS),
          13,
          `${text}, ${offset}`,
        )
      }
      assertBytes(await store.tail!(key, owner, 0), bytesOf('one two three'))
    },

    'an append that begins inside the log and goes past its end writes nothing': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newOwner()]
      await store.append!(key, owner, 0, bytesOf('one two'), LONG_MS)
      assert.equal(await store.append!(key, owner, 4, bytesOf('two three'), LONG_MS), 7)
      assert.equal(await store.append!(key, owner, 0, bytesOf('one two three'), LONG_MS), 7)
      assert.equal(await store.append!(key, owner, 6, bytesOf('other'), LONG_MS), 7)
      assertBytes(await store.tail!(key, owner, 0), bytesOf('one two'))
    },

    'an append after a gap writes nothing, and begins no log': async ({ open }) => {
      const store = await open()
      const [key, owner, other] = [newKey(), newOwner(), newOwner()]
      await store.append!(key, owner, 0, bytesOf('one '), LONG_MS)
      assert.equal(await store.append!(key, owner, 5, bytesOf('three'), LONG_MS), 4)
      assertBytes(await store.tail!(key, owner, 0), bytesOf('one '))
      assert.equal(await store.append!(key, other, 1, bytesOf('late'), LONG_MS), 0)
      assert.equal(await store.tail!(key, other, 0), undefined)
    },

    'an append of no bytes begins a log, and no bytes are in a log anywhere': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newOwner()]
      assert.equal(await store.append!(key, owner, 0, NONE, LONG_MS), 0)
      assertBytes(await store.tail!(key, owner, 0), NONE)
      assert.equal(await store.append!(key, owner, 0, bytesOf('one'), LONG_MS), 3)
      for (const offset of [0, 2, 3]) {
        assert.equal(await store.append!(key, owner, offset, NONE, LONG_MS), offset)
      }
      assert.equal(await store.append!(key, owner, 4, NONE, LONG_MS), 3, 'after a gap')
      assertBytes(await store.tail!(key, owner, 0), bytesOf('one'))
    },

    'every byte value comes back from a log': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newOwner()]
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      const parts = [
        all,
        bytesOf('\n\r\n\0'),
        Buffer.from('c328e28af0288cbceda080fffe', 'hex'),
        all.toReversed(),
      ]
      let length = 0
      for (const part of parts) length = await store.append!(key, owner, length, part, LONG_MS)
      assertBytes(await store.tail!(key, owner, 0), Buffer.concat(parts))
      // Also if the two are compared.
      assert.equal(await store.append!(key, owner, 0, all, LONG_MS), 256)
      assert.equal(await store.append!(key, owner, 0, all.toReversed(), LONG_MS), length)
    },

    'logs of two owners of one key do not mix': async ({ open }) => {
      const store = await open()
      const [key, one, other] = [newKey(), newOwner(), newOwner()]
      await store.append!(key, one, 0, bytesOf('of one'), LONG_MS)
      assert.equal(await store.tail!(key, other, 0), undefined)
      assert.equal(await store.append!(key, other, 0, bytesOf('of the other'), LONG_MS), 12)
      assertBytes(await store.tail!(key, one, 0), bytesOf('of one'))
      assertBytes(await store.tail!(key, other, 0), bytesOf('of the other'))
    },

    'logs of one owner on two keys do not mix': async ({ open }) => {
      const store = await open()
      const [owner, one, other] = [newOwner(), newKey(), newKey()]
      await store.append!(one, owner, 0, bytesOf('here'), LONG_MS)
      assert.equal(await store.tail!(other, owner, 0), undefined)
      await store.append!(other, owner, 0, bytesOf('there too'), LONG_MS)
      assertBytes(await store.tail!(one, owner, 0), bytesOf('here'))
    },

    'each append gives the log another life, and the log is gone after it': async ({ open }) => {
      const store = await open()
      await inTime(async (ms) => {
        const [key, owner] = [newKey(), newOwner()]
        await store.append!(key, owner, 0, bytesOf('one '), ms)
        const since = now()
        if ((await store.append!(key, owner, 4, bytesOf('two'), 2 * ms)) !== 7) return false
        await eventually('the log is still there', async () => {
          const bytes = await store.tail!(key, owner, 0)
          if (bytes === undefined) return true
          assertBytes(bytes, bytesOf('one two'))
          return undefined
        })
        assertNotEarly(now(), since, 2 * ms)
        assert.equal(await store.append!(key, owner, 7, bytesOf('three'), LONG_MS), 0)
        assert.equal(await store.append!(key, owner, 0, bytesOf('anew'), LONG_MS), 4)
        return true
      })
    },

    'an append that writes nothing does not lengthen the life of the log': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newOwner()]
      await store.append!(key, owner, 0, bytesOf('one '), SHORT_MS)
      await store.append!(key, owner, 9, bytesOf('gap'), LONG_MS)
      await store.append!(key, owner, 1, bytesOf('other'), LONG_MS)
      await eventually('the log is still there', async () =>
        (await store.tail!(key, owner, 0)) === undefined ? true : undefined,
      )
    },

    'a log needs no lock and changes neither lock nor record': async ({ open }) => {
      const store = await open()
      const [absent, locked, completed, owner] = [newKey(), newKey(), newKey(), newClaim()]
      await take(store, locked, owner)
      await record(store, completed, owner, bytesOf('the answer'))
      for (const key of [absent, locked, completed]) {
        assert.equal(await store.append!(key, owner.owner, 0, bytesOf('live'), LONG_MS), 4)
      }
      assert.deepEqual(await store.read(absent), { state: 'absent' })
      assertLocked(await store.read(locked), owner)
      assert.equal(await store.renew(locked, owner, LONG_MS), 'held')
      assertCompleted(await store.read(completed), owner, bytesOf('the answer'))
    },

    'a log can be read to its end after its owner has completed or let go': async ({ open }) => {
      const store = await open()
      const [completed, released, owner] = [newKey(), newKey(), newClaim()]
      for (const key of [completed, released]) {
        await take(store, key, owner)
        await store.append!(key, owner.owner, 0, bytesOf('live'), LONG_MS)
      }
      await store.complete(completed, owner, bytesOf('the answer'), LONG_MS)
      await store.leaveNote(released, owner.owner, bytesOf('an ending'), LONG_MS)
      await store.release(released, owner.owner)
      for (const key of [completed, released]) {
        assertBytes(await store.tail!(key, owner.owner, 0), bytesOf('live'))
      }
    },

    'what caller and reader do to their buffers does not change the log': async ({ open }) => {
      const store = await open()
      for (const buffer of [bytesOf('live'), Buffer.from('live')]) {
        const [key, owner] = [newKey(), newOwner()]
        await store.append!(key, owner, 0, buffer, LONG_MS)
        buffer.fill(0)
        const read = await store.tail!(key, owner, 0)
        assertBytes(read, bytesOf('live'))
        read!.fill(0)
        assertBytes(await store.tail!(key, owner, 0), bytesOf('live'))
      }
    },

    'a view of a larger buffer is appended as what it shows': async ({ open }) => {
      const store = await open()
      const [key, owner] = [newKey(), newOwner()]
      const shown = bytesOf('before|live|after').subarray(7, 11)
      assert.equal(await store.append!(key, owner, 0, shown, LONG_MS), 4)
      assertBytes(await store.tail!(key, owner, 0), bytesOf('live'))
    },

    'of many appends at one offset at once exactly one is written': async ({ open }) => {
      const handles = [await open(), await open()] as const
      const [key, owner] = [newKey(), newOwner()]
      let length = 0
      for (const _round of [1, 2, 3]) {
        // Each piece has a length of its own: the length of the log tells whose bytes are in it.
        const parts = Array.from({ length: 20 }, (_, index) => Buffer.alloc(index + 1, 65 + index))
        const at = length
        const answers = await atOnce(20, (index) =>
          handles[index % 2 ? 1 : 0].append!(key, owner, at, parts[index]!, LONG_MS),
        )
        const winners = parts.filter((part, index) => answers[index] === at + part.byteLength)
        assert.equal(winners.length, 1, `${winners.length} of 20 were written`)
        length = at + winners[0]!.byteLength
        assert.deepEqual([...new Set(answers)], [length], 'everyone is told how long the log is')
        assertBytes(await handles[0].tail!(key, owner, at), winners[0]!)
      }
    },
  },
  'append',
)

const absent = area(
  'live',
  {
    'a store without append() has no tail() either': async ({ open }) => {
      const { append, tail } = await open()
      assert.deepEqual({ append, tail }, { append: undefined, tail: undefined })
    },
  },
  'no append',
)

/** The live log of an execution, for duplicates of a running stream. */
export const live = [...log, ...absent]
