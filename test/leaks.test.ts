import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startRedis, type TestRedis } from '@idem/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

const STREAMS = 10_000

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

test('ten thousand streams leave nothing behind: no handle, listener, subscription, nor a key without an end', async () => {
  const script = fileURLToPath(new URL('./many-streams.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script], {
    env: { ...process.env, REDIS_URL: redis.url, PREFIX: redis.prefix, STREAMS: String(STREAMS) },
  })
  const { before, after, calls, stats, keys, undying } = JSON.parse(stdout)
  const grown = after.bytes - before.bytes
  process.stdout.write(
    `    ${calls} calls, ${keys} keys still alive, ${(grown / 2 ** 20).toFixed(1)} MB more in use\n`,
  )
  // Each stream, and each of the 500 before, cost one call, whichever caller left.
  expect(calls).toBe(STREAMS + 500)
  expect(stats[0].executed + stats[1].executed).toBe(calls)
  expect(after.handles).toEqual(before.handles)
  expect(after.listeners).toBe(0)
  expect(undying).toBe(0)
  // A leak of 200 bytes for each stream would show.
  expect(grown).toBeLessThan(2 * 2 ** 20)
}, 240_000)
