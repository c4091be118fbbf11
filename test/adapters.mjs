// Every adapter, opened on a server or a cluster: what the tests across adapters and their worker processes share.

/** On one server: `(url, prefix) => store`. */
export const serverAdapters = {
  async ioredis(url, prefix) {
    const [{ Redis }, { ioredisStore }] = await Promise.all([import('ioredis'), import('@idem/ioredis')])
    return ioredisStore(new Redis(url), { prefix })
  },
  async 'node-redis'(url, prefix) {
    const [{ createClient }, { nodeRedisStore }] = await Promise.all([
      import('redis'),
      import('@idem/node-redis'),
    ])
    const client = createClient({ url })
    client.on('error', () => {})
    await client.connect()
    return nodeRedisStore(client, { prefix })
  },
}

/** On a cluster: `(seeds, prefix) => store`. */
export const clusterAdapters = {
  async 'redis-cluster, ioredis'(seeds, prefix) {
    const [{ Cluster }, { redisClusterStore }] = await Promise.all([
      import('ioredis'),
      import('@idem/redis-cluster'),
    ])
    return redisClusterStore(new Cluster(seeds), { prefix })
  },
  async 'redis-cluster, node-redis'(seeds, prefix) {
    const [{ createCluster }, { redisClusterStore }] = await Promise.all([
      import('redis'),
      import('@idem/redis-cluster'),
    ])
    const client = createCluster({ rootNodes: seeds.map(({ host, port }) => ({ socket: { host, port } })) })
    client.on('error', () => {})
    await client.connect()
    return redisClusterStore(client, { prefix })
  },
  // Not on one server: GLIDE has no sharded subscriptions there, so its waiters poll.
  async 'valkey-glide'(addresses, prefix) {
    const [{ GlideClusterClient, Logger }, { valkeyGlideStore }] = await Promise.all([
      import('@valkey/valkey-glide'),
      import('@idem/valkey-glide'),
    ])
    Logger.init('off')
    const create = (config) => GlideClusterClient.createClient({ addresses, ...config })
    return valkeyGlideStore(await create(), { prefix, subscriber: create })
  },
}
