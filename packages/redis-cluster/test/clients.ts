import type { Store } from '@idem/core'
import type { TestCluster } from '@idem/testing'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { redisClusterStore } from '../src/index.js'

export interface Handle {
  readonly store: Store
  close(): Promise<void>
}

/** How each of the two clients opens one more handle on a cluster. */
export const clients: Record<string, (cluster: TestCluster, prefix?: string) => Promise<Handle>> = {
  async ioredis(cluster, prefix = cluster.prefix) {
    const client = new Cluster(cluster.seeds)
    client.on('error', () => {})
    const store = redisClusterStore(client, { prefix })
    return {
      store,
      async close() {
        await store.close()
        client.disconnect()
      },
    }
  },

  async 'node-redis'(cluster, prefix = cluster.prefix) {
    const client = createCluster({
      rootNodes: cluster.seeds.map(({ host, port }) => ({ socket: { host, port } })),
      defaults: { socket: { connectTimeout: 500 } },
      // Its default looks at the topology every 5 s only while a node is away.
      topologyRefreshOnReconnectionAttemptStrategy: () => 100,
    })
    client.on('error', () => {})
    await client.connect()
    const store = redisClusterStore(client, { prefix })
    return {
      store,
      async close() {
        await store.close()
        client.destroy()
      },
    }
  },
}
