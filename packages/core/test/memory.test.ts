import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('a thousand followers of a stream of 1 MB cost a process less than 16 MB', async () => {
  const script = fileURLToPath(new URL('./followers.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script])
  const { grown, read, streamed, followers } = JSON.parse(stdout)
  process.stdout.write(`    ${followers} followers: ${(grown / 2 ** 20).toFixed(1)} MB\n`)
  expect(read).toBe(streamed * followers)
  expect(grown).toBeLessThan(16 * 2 ** 20)
}, 60_000)
