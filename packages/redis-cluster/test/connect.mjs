// How a client of each kind connects to a cluster, here and in the processes the kit forks.
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { createCluster as createCluster5 } from 'redis-5'

/** By name: `({ seeds, natMap }, connectionName) => { client, close }`. */
export const connect = {
  async ioredis({ seeds, natMap = {} }, connectionName) {
    const client = new Cluster(seeds, { natMap, redisOptions: { connectionName } })
    client.on('error', () => {}) // Told of what is broken on purpose.
    return { client, close: () => client.disconnect() }
  },

  'node-redis': (where, name) => connectNodeRedis(createCluster, where, name),
  'node-redis 5': (where, name) => connectNodeRedis(createCluster5, where, name),
}

async function connectNodeRedis(create, { seeds, natMap = {} }, name) {
  const client = create({
    rootNodes: seeds.map(({ host, port }) => ({ socket: { host, port } })),
    nodeAddressMap: natMap,
    defaults: { name, socket: { connectTimeout: 500 } },
    // Its default looks at the topology every 5 s only while a node is away. Before version 6 there is no such option.
    topologyRefreshOnReconnectionAttemptStrategy: () => 100,
  })
  client.on('error', () => {})
  await client.connect()
  return { client, close: () => client.destroy() }
}
