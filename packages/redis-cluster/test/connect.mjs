// How a client of each kind connects to a cluster, here and in the processes the kit forks.
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'

/** By name: `({ seeds, natMap }, connectionName) => { client, close }`. */
export const connect = {
  async ioredis({ seeds, natMap = {} }, connectionName) {
    const client = new Cluster(seeds, { natMap, redisOptions: { connectionName } })
    client.on('error', () => {}) // Told of what is broken on purpose.
    return { client, close: () => client.disconnect() }
  },

  async 'node-redis'({ seeds, natMap = {} }, name) {
    const client = createCluster({
      rootNodes: seeds.map(({ host, port }) => ({ socket: { host, port } })),
      nodeAddressMap: natMap,
      defaults: { name, socket: { connectTimeout: 500 } },
      // Its default looks at the topology every 5 s only while a node is away.
      topologyRefreshOnReconnectionAttemptStrategy: () => 100,
    })
    client.on('error', () => {})
    await client.connect()
    return { client, close: () => client.destroy() }
  },
}
