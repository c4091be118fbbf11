import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { spawnWorker, startRedis, startRedisServer, type TestRedis } from '../src/index.js'

const running: { stop(): Promise<unknown> }[] = []
function later<T extends { stop(): Promise<unknown> }>(handle: T): T {
  running.push(handle)
  return handle
}
// These are about servers that are processes, or borrowed; test/containers has the others.
beforeEach(() => void vi.stubEnv('IDEM_TEST_REDIS', undefined))
afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(running.splice(0).map((handle) => handle.stop()))
})

async function ask<T>(redis: Pick<TestRedis, 'url'>, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.url, { retryStrategy: () => null, lazyConnect: true })
  client.on('error', () => {})
  try {
    await client.connect()
    return await question(client)
  } finally {
    client.disconnect()
  }
}

test('a started Redis answers at once, and is the process the handle names', async () => {
  vi.stubEnv('IDEM_TEST_REDIS_URL', undefined)
  const redis = later(await startRedis())
  expect(redis.owned).toBe(true)
  expect(await ask(redis, (client) => client.info('server'))).toContain(`process_id:${redis.pid}\r`)
})

test('a started Redis keeps nothing on disk', async () => {
  vi.stubEnv('IDEM_TEST_REDIS_URL', undefined)
  const redis = later(await startRedis())
  const settings = await ask(redis, (client) => client.config('GET', 'save', 'appendonly'))
  expect(settings).toEqual(expect.arrayContaining(['save', '', 'appendonly', 'no']))
})

test('two handles have servers and prefixes of their own', async () => {
  vi.stubEnv('IDEM_TEST_REDIS_URL', undefined)
  const [one, two] = await Promise.all([startRedis().then(later), startRedis().then(later)])
  expect(one.url).not.toBe(two.url)
  expect(one.prefix).not.toBe(two.prefix)
})

test('a stopped Redis is gone, even one that was paused by a signal', async () => {
  vi.stubEnv('IDEM_TEST_REDIS_URL', undefined)
  const redis = await startRedis()
  process.kill(redis.pid!, 'SIGSTOP')
  await redis.stop()
  await redis.stop()
  await expect(ask(redis, (client) => client.ping())).rejects.toThrow('Connection is closed')
})

test('arguments reach a new server even where a borrowed one is named', async () => {
  vi.stubEnv('IDEM_TEST_REDIS_URL', 'redis://127.0.0.1:1')
  const redis = later(await startRedis({ args: ['--maxmemory', '3mb'] }))
  expect(await ask(redis, (client) => client.config('GET', 'maxmemory'))).toEqual(['maxmemory', '3145728'])
})

test('arguments a server does not know are an error with its own words', async () => {
  await expect(startRedis({ args: ['--no-such-setting', 'x'] })).rejects.toThrow(
    /no-such-setting|Bad directive/,
  )
})

test('a Redis named by IDEM_TEST_REDIS_URL is used as it is and outlives the handle', async () => {
  vi.stubEnv('IDEM_TEST_REDIS_URL', undefined)
  const server = later(await startRedis())
  vi.stubEnv('IDEM_TEST_REDIS_URL', server.url)
  const borrowed = await startRedis()
  expect(borrowed).toMatchObject({ url: server.url, owned: false })
  expect(borrowed.pid).toBeUndefined()
  await borrowed.stop()
  expect(await ask(server, (client) => client.ping())).toBe('PONG')
})

test('a Redis named by IDEM_TEST_REDIS_URL that does not answer is an error, not a skip', async () => {
  vi.stubEnv('IDEM_TEST_REDIS_URL', 'redis://127.0.0.1:1')
  await expect(startRedis()).rejects.toThrow('IDEM_TEST_REDIS_URL')
})

test('without a Redis, or a way to one, one sentence says what to do', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'idem-empty-path-'))
  vi.stubEnv('IDEM_TEST_REDIS_URL', undefined)
  vi.stubEnv('PATH', empty)
  await expect(startRedis()).rejects.toThrow(/install redis-server .* or set IDEM_TEST_REDIS_URL/)
  await rm(empty, { recursive: true })
})

test('a Redis does not outlive the process that started it, even one that is killed', async () => {
  vi.stubEnv('IDEM_TEST_REDIS_URL', undefined)
  const worker = later(await spawnWorker(new URL('fixtures/worker.mjs', import.meta.url)))
  const url = await worker.call<string>('startRedis')
  expect(await ask({ url }, (client) => client.ping())).toBe('PONG')
  worker.signal('SIGKILL')
  await expect
    .poll(() => ask({ url }, (client) => client.ping()).catch((error: Error) => error.message), {
      timeout: 20_000,
    })
    .toContain('Connection is closed')
})

test('a Redis does not outlive a process that ends while it starts', async () => {
  // A port that was free a moment ago.
  const { port, stop } = await startRedisServer()
  await stop()
  const worker = later(await spawnWorker(new URL('fixtures/worker.mjs', import.meta.url)))
  const started = worker.call('exitWhileRedisStarts', port)
  await expect(started).rejects.toThrow('exited with code 0')
  const servers = async () => (await promisify(execFile)('ps', ['-e', '-o', 'args='])).stdout.split('\n')
  await expect
    .poll(
      async () => (await servers()).filter((args) => /^redis-server/.test(args) && args.includes(`${port}`)),
      {
        timeout: 20_000,
      },
    )
    .toEqual([])
})
