import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { area } from '../kit.js'
import { assertBytes, bytesOf, eventually, LONG_MS, listen, newKey, newOwner, PATIENCE_MS } from '../tools.js'

/** A live log that is followed as it grows. */
export const liveHints = area(
  'live',
  {
    'an append is heard by watchers of its key: owner, offset, and the bytes where they are few': async ({
      open,
    }) => {
      const [one, other] = [await open(), await open()]
      const [key, owner] = [newKey(), newOwner()]
      const bytes = Buffer.from('\n\0ÿ live 7\n', 'latin1')
      const [here, elsewhere] = [await listen(other, key), await listen(other, newKey())]
      await one.append!(key, owner, 0, bytesOf('one '), LONG_MS)
      await one.append!(key, owner, 4, bytes, LONG_MS)
      const second = await eventually('no hint came of the second append', async () =>
        here.hints.find((hint) => hint.type === 'live' && hint.offset === 4),
      )
      assert.equal(second.owner, owner)
      for (const hint of here.hints) {
        assert.ok(hint.type === 'live' && (hint.offset === 0 || hint.offset === 4), JSON.stringify(hint))
        if (hint.bytes) assertBytes(hint.bytes, hint.offset === 0 ? bytesOf('one ') : bytes)
      }
      assert.deepEqual(elsewhere.hints, [])
      here.stop()
      elsewhere.stop()
    },

    'a hint of few bytes carries them': async ({ open }) => {
      const [one, other] = [await open(), await open()]
      const [key, owner] = [newKey(), newOwner()]
      const listening = await listen(other, key)
      await one.append!(key, owner, 0, bytesOf('a token'), LONG_MS)
      assertBytes((await listening.heard('live', owner)).bytes, bytesOf('a token'))
      listening.stop()
    },

    'a large append is heard with all its bytes or none, and tail has them all': async ({ open }) => {
      const [one, other] = [await open(), await open()]
      const [key, owner, large] = [newKey(), newOwner(), randomBytes(100_000)]
      const listening = await listen(other, key)
      assert.equal(await one.append!(key, owner, 0, large, LONG_MS), large.byteLength)
      const { offset, bytes } = await listening.heard('live', owner)
      assert.equal(offset, 0)
      if (bytes !== undefined) assertBytes(bytes, large)
      assertBytes(await other.tail!(key, owner, 0), large)
      assert.equal(await one.append!(key, owner, large.byteLength, bytesOf('.'), LONG_MS), 100_001)
      listening.stop()
    },

    'a log that is followed by hints and tail is followed whole': async ({ open }) => {
      const [one, other] = [await open(), await open()]
      const [key, owner] = [newKey(), newOwner()]
      const parts = Array.from({ length: 30 }, (_, index) => bytesOf(`part ${index}\n`))
      const whole = Buffer.concat(parts)
      const followed: Uint8Array[] = []
      const followedTo = () => followed.reduce((sum, { byteLength }) => sum + byteLength, 0)
      const listening = await listen(other, key)
      let heard = 0
      const follow = async () => {
        for (const hint of listening.hints.slice(heard)) {
          heard++
          const at = followedTo()
          if (hint.type !== 'live' || hint.offset < at) continue
          const next = hint.offset === at ? hint.bytes : undefined
          followed.push(next ?? (await other.tail!(key, owner, at))!)
        }
        return followedTo() === whole.byteLength ? true : undefined
      }
      let isWritten = false
      const writing = async () => {
        let length = 0
        for (const part of parts) length = await one.append!(key, owner, length, part, LONG_MS)
        isWritten = true
      }
      const following = async () => {
        await eventually(
          'the log was never written',
          async () => {
            await follow()
            return isWritten || undefined
          },
          5 * PATIENCE_MS, // Thirty commands on a slow machine.
        )
        await eventually('the end of the log was never heard', follow)
      }
      await Promise.all([writing(), following()])
      assertBytes(Buffer.concat(followed), whole)
      listening.stop()
    },
  },
  'append',
  'watch',
)
