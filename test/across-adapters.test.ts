import { readdirSync, readFileSync } from 'node:fs'
import {
  spawnWorker,
  startRedis,
  startRedisCluster,
  type TestCluster,
  type TestRedis,
  type Worker,
} from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clusterAdapters, serverAdapters } from './adapters.mjs'

/** JSON values that are easily broken on the way. */
const value = { text: 'ä€😀\u0000\ud800 "\\\n', list: [0, -1.5e-7, true, null, ''], nested: { '{a}': [{}] } }

interface Result {
  value: unknown
  outcome: string
}

/** Every ordered pair of adapters, each adapter in one process of its own. */
function everyPair(adapters: string[], where: () => { address: string; prefix: string; urls: string[] }) {
  const workers = new Map<string, Worker>()
  beforeAll(async () => {
    const { address, prefix } = where()
    const file = new URL('./adapter-worker.mjs', import.meta.url)
    const started = adapters.map(async (adapter) => {
      const worker = await spawnWorker(file, { env: { ADAPTER: adapter, WHERE: address, PREFIX: prefix } })
      workers.set(adapter, worker)
    })
    await Promise.all(started)
  })
  afterAll(() => Promise.all([...workers.values()].map((worker) => worker.stop())))

  const pairs = adapters.flatMap((owner) =>
    adapters.filter((one) => one !== owner).map((waiter) => [owner, waiter]),
  )
  test.each(pairs)('a call by %s is shared with %s, byte for byte', async (owner, waiter) => {
    const key = `${owner} ${waiter}`
    const began = workers.get(owner!)!.once('began')
    const owned = workers.get(owner!)!.call<Result>('own', key)
    await began
    const waited = workers.get(waiter!)!.call<Result>('ask', key)
    await vi.waitFor(async () => expect(await subscriptions(where())).toBe(1), { timeout: 10_000 })
    await workers.get(owner!)!.call('finish', value)
    expect(await owned).toEqual({ value, outcome: 'executed' })
    expect(await waited).toEqual({ value, outcome: 'collapsed' })
    expect(await workers.get(waiter!)!.call('ask', key)).toEqual({ value, outcome: 'replayed' })
    await vi.waitFor(async () => expect(await subscriptions(where())).toBe(0), { timeout: 10_000 })
  })
}

async function subscriptions({ urls, prefix }: { urls: string[]; prefix: string }): Promise<number> {
  const counts = urls.map(async (url) => {
    const client = new Redis(url)
    const channels = (await client.call('PUBSUB', 'SHARDCHANNELS', `${prefix}*`)) as string[]
    client.disconnect()
    return channels.length
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

describe('adapters on one server', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  everyPair(Object.keys(serverAdapters), () => ({
    address: redis.url,
    prefix: redis.prefix,
    urls: [redis.url],
  }))
})

describe('adapters on one cluster', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  }, 60_000)
  afterAll(() => cluster.stop())
  everyPair(Object.keys(clusterAdapters), () => ({
    address: JSON.stringify(cluster.seeds),
    prefix: cluster.prefix,
    urls: cluster.nodes.map(({ url }) => url),
  }))
})

test('every adapter package is in the table', () => {
  const packages = new URL('../packages/', import.meta.url)
  const adapters = readdirSync(packages).filter((name) => {
    const { dependencies = {} } = JSON.parse(readFileSync(new URL(`${name}/package.json`, packages), 'utf8'))
    return '@idem/redis-protocol' in dependencies
  })
  const listed = Object.keys({ ...serverAdapters, ...clusterAdapters }).map((name) => name.split(',')[0])
  expect([...new Set(listed)].sort()).toEqual(adapters.sort())
})
