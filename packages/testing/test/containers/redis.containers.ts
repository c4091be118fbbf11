import { Redis } from 'ioredis'
import { getContainerRuntimeClient } from 'testcontainers'
import { afterEach, expect, test, vi } from 'vitest'
import { spawnWorker, startRedis, type TestRedis } from '../../src/index.js'

const running: { stop(): Promise<unknown> }[] = []
function later<T extends { stop(): Promise<unknown> }>(handle: T): T {
  running.push(handle)
  return handle
}
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

/** The containers of these tests that the engine has, running or not. */
async function containers(): Promise<string[]> {
  const { dockerode } = (await getContainerRuntimeClient()).container
  const all = await dockerode.listContainers({ all: true, filters: { label: ['idem-test-container'] } })
  return all.map(({ Id }) => Id)
}

/** The containers that are new since. */
async function newSince(before: readonly string[]): Promise<string[]> {
  return (await containers()).filter((id) => !before.includes(id))
}

test('a Redis in a container answers at once, and is not a process of this machine', async () => {
  const redis = later(await startRedis())
  expect([redis.owned, redis.pid]).toEqual([true, undefined])
  // Among the few processes of the container, not the many of this machine.
  expect(await ask(redis, (client) => client.info('server'))).toMatch(/process_id:\d{1,2}\r/)
})

test('it keeps nothing on disk', async () => {
  const redis = later(await startRedis())
  const settings = await ask(redis, (client) => client.config('GET', 'save', 'appendonly'))
  expect(settings).toEqual(expect.arrayContaining(['save', '', 'appendonly', 'no']))
})

test('two handles have servers and prefixes of their own', async () => {
  const [one, two] = await Promise.all([startRedis().then(later), startRedis().then(later)])
  expect(one.url).not.toBe(two.url)
  expect(one.prefix).not.toBe(two.prefix)
})

test('arguments reach the server, and a URL that is named too is not used', async () => {
  vi.stubEnv('IDEM_TEST_REDIS_URL', 'redis://127.0.0.1:1')
  const redis = later(await startRedis({ args: ['--maxmemory', '3mb'] }))
  expect(await ask(redis, (client) => client.config('GET', 'maxmemory'))).toEqual(['maxmemory', '3145728'])
})

test('arguments a server does not know are an error with its own words, and leave no container', async () => {
  const before = await containers()
  await expect(startRedis({ args: ['--no-such-setting', 'x'] })).rejects.toThrow(
    /no-such-setting|Bad directive/,
  )
  await expect.poll(() => newSince(before), { timeout: 20_000 }).toEqual([])
})

test('a stopped Redis is gone, container and all', async () => {
  const before = await containers()
  const redis = await startRedis()
  expect(await newSince(before)).toHaveLength(1)
  await redis.stop()
  await redis.stop()
  expect(await newSince(before)).toEqual([])
  await expect(ask(redis, (client) => client.ping())).rejects.toThrow('Connection is closed')
})

test('a container does not outlive the process that started it, even one that is killed', async () => {
  const before = await containers()
  const worker = later(await spawnWorker(new URL('../fixtures/worker.mjs', import.meta.url)))
  const url = await worker.call<string>('startRedis')
  expect(await ask({ url }, (client) => client.ping())).toBe('PONG')
  worker.signal('SIGKILL')
  await expect.poll(() => newSince(before), { timeout: 20_000 }).toEqual([])
})

test('a missing image fails with one sentence that names it', async () => {
  vi.stubEnv('IDEM_TEST_REDIS_IMAGE', 'localhost:1/no/such-image:1')
  await expect(startRedis()).rejects.toThrow(/localhost:1\/no\/such-image:1 .* IDEM_TEST_REDIS_IMAGE\.$/)
})
