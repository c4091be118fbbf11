import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** What a script prints that runs in a process of its own, whose memory can be collected. */
async function measure(script: string) {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', path])
  return JSON.parse(stdout)
}

test('a thousand followers of a stream of 1 MB cost a process less than 16 MB', async () => {
  const { grown, read, streamed, followers } = await measure('./followers.mjs')
  process.stdout.write(`    ${followers} followers: ${(grown / 2 ** 20).toFixed(1)} MB\n`)
  expect(read).toBe(streamed * followers)
  expect(grown).toBeLessThan(16 * 2 ** 20)
}, 60_000)

test('a stream that its caller dropped unread keeps nothing, and nobody waits for it any more', async () => {
  const { streams, listening, left, cancelled } = await measure('./dropped.mjs')
  expect(listening).toBeGreaterThan(0)
  expect(left).toBe(0)
  expect(cancelled).toBe(streams)
}, 60_000)
