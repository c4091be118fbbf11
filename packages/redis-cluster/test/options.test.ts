import { randomUUID } from 'node:crypto'
import { createIdem } from '@idem/core'
import { startRedisCluster, type TestCluster } from '@idem/testing'
import { Cluster, type ClusterOptions } from 'ioredis'
import { createCluster, RESP_TYPES } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NodeRedisCluster, redisClusterStore } from '../src/index.js'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster.stop())

/** Many keys, on all nodes: what is read from a replica may be stale, or not there yet. */
async function doesAll(store: ReturnType<typeof redisClusterStore>): Promise<void> {
  const idem = createIdem({ store })
  await idem.ready()
  const keys = Array.from({ length: 30 }, (_, index) => `key ${index}`)
  for (const key of keys) {
    expect(await idem.run(key, () => ({ key }))).toEqual({ key })
    expect(await idem.runWithOutcome(key, () => 2)).toEqual({ value: { key }, outcome: 'replayed' })
    expect(await idem.forget(key)).toBe(true)
    expect(await idem.runWithOutcome(key, () => 3)).toEqual({ value: 3, outcome: 'executed' })
    expect(await idem.run(key, () => 4, { refresh: true })).toBe(4)
  }
  expect((await idem.fleetStats()).requests).toBe(120)
  expect(idem.stats().failedOpen).toBe(0)
  await idem.close()
}

describe('a Cluster of ioredis made with', () => {
  test.each<[string, ClusterOptions]>([
    ['enableAutoPipelining', { enableAutoPipelining: true }],
    ['reads from replicas', { scaleReads: 'slave' }],
    ['reads from all nodes', { scaleReads: 'all' }],
    ['auto-pipelining and reads from replicas', { enableAutoPipelining: true, scaleReads: 'slave' }],
    ['numbers as text', { redisOptions: { stringNumbers: true } }],
    ['auto-pipelining in its nodes', { redisOptions: { enableAutoPipelining: true } }],
    ['RESP3', { redisOptions: { protocol: 3 } }],
    ['a connection made late', { lazyConnect: true }],
    ['no ready check', { enableReadyCheck: false }],
    ['no offline queue', { enableOfflineQueue: false }],
    ['sharded subscribers of its own', { shardedSubscribers: true }],
  ])('%s does all that the protocol needs', { timeout: 30_000 }, async (_, options) => {
    const client = new Cluster(cluster.seeds, options)
    client.on('error', () => {})
    await doesAll(redisClusterStore(client, { prefix: `${cluster.prefix}${randomUUID()}:` }))
    client.disconnect()
  })
})

describe('a cluster of node-redis made with', () => {
  test.each<[string, object]>([
    ['reads from replicas', { useReplicas: true }],
    ['as few connections as it can', { minimizeConnections: true }],
    ['numbers as text', { commandOptions: { typeMapping: { [RESP_TYPES.NUMBER]: String } } }],
    ['RESP2', { RESP: 2 }],
    ['RESP3 and a cache of its own', { RESP: 3, clientSideCache: { ttl: 60_000, maxEntries: 100 } }],
    ['no offline queue', { defaults: { disableOfflineQueue: true } }],
  ])('%s does all that the protocol needs', { timeout: 30_000 }, async (_, options) => {
    const rootNodes = cluster.seeds.map((socket) => ({ socket: { ...socket } }))
    const client = createCluster({ rootNodes, ...options })
    client.on('error', () => {})
    await client.connect()
    const store = redisClusterStore(client as unknown as NodeRedisCluster, {
      prefix: `${cluster.prefix}${randomUUID()}:`,
    })
    await doesAll(store)
    client.destroy()
  })
})
