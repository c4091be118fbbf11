import { storeConformance } from '@idem/conformance'
import type { Store } from '@idem/core'
import { startRedisClusterContainer, type TestClusterContainer } from '@idem/testing'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { redisClusterStore } from '../src/index.js'

let cluster: TestClusterContainer
beforeAll(async () => {
  cluster = await startRedisClusterContainer()
})
afterAll(() => cluster.stop())

/** How each of the two clients opens one more handle on a cluster whose nodes announce other addresses. */
const clients: Record<string, () => Promise<{ store: Store; close(): Promise<void> }>> = {
  async ioredis() {
    const client = new Cluster(cluster.seeds, { natMap: cluster.natMap })
    client.on('error', () => {})
    const store = redisClusterStore(client, { prefix: cluster.prefix })
    return { store, close: () => store.close().then(() => client.disconnect()) }
  },

  async 'node-redis'() {
    const client = createCluster({
      rootNodes: cluster.seeds.map((socket) => ({ socket })),
      nodeAddressMap: cluster.natMap,
    })
    client.on('error', () => {})
    await client.connect()
    const store = redisClusterStore(client, { prefix: cluster.prefix })
    return { store, close: () => store.close().then(() => client.destroy()) }
  },
}

for (const [name, open] of Object.entries(clients)) {
  storeConformance({
    name: `redisClusterStore on ${name}, in a container`,
    open,
    runner: { describe, test: test.concurrent },
  })
}
