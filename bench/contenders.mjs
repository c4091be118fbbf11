// Ways to run work once for a key over one Redis. Each opens in a process of its own, and has one way in:
// `run(key, work)` gives what work gave, at once or earlier, here or in another process.
import { setTimeout as delay } from 'node:timers/promises'
import { peers, WAITING } from './peers/peers.mjs'

const TTL_MS = 3_600_000

/** What everything is compared with: a look, and a write where nothing was there. It shares no running call. */
function raw(client, prefix, expiry) {
  return async (key, work) => {
    const stored = await client.get(prefix + key)
    if (stored !== null) return JSON.parse(stored)
    const value = await work()
    await client.set(prefix + key, JSON.stringify(value), ...expiry)
    return value
  }
}

/** Core is loaded here alone: its async hooks would slow the raw clients down. */
async function sharing(store, disconnect) {
  const { createIdem } = await import('@idem/core')
  const idem = createIdem({ store })
  return {
    run: (key, work, signal) => idem.run(key, work, signal && { signal }),
    async close() {
      await idem.close()
      disconnect()
    },
  }
}

async function ioredis(url) {
  const { Redis } = await import('ioredis')
  return new Redis(url)
}

async function nodeRedis(url) {
  const { createClient } = await import('redis')
  return createClient({ url })
    .on('error', () => {})
    .connect()
}

async function ioredisCluster(seeds) {
  const { Cluster } = await import('ioredis')
  return new Cluster(seeds)
}

export const contenders = {
  ...peers,

  async 'raw ioredis'({ url, prefix }) {
    const redis = await ioredis(url)
    return { run: raw(redis, prefix, ['PX', TTL_MS]), close: () => redis.disconnect() }
  },

  async 'raw node-redis'({ url, prefix }) {
    const redis = await nodeRedis(url)
    return { run: raw(redis, prefix, [{ PX: TTL_MS }]), close: () => redis.destroy() }
  },

  async 'idem, ioredis'({ url, prefix }) {
    const { ioredisStore } = await import('@idem/ioredis')
    const redis = await ioredis(url)
    return sharing(ioredisStore(redis, { prefix }), () => redis.disconnect())
  },

  async 'idem, node-redis'({ url, prefix }) {
    const { nodeRedisStore } = await import('@idem/node-redis')
    const redis = await nodeRedis(url)
    return sharing(nodeRedisStore(redis, { prefix }), () => redis.destroy())
  },

  /** A lock that is set if absent, and waiters that look every 50 ms: what most people write by hand. */
  async 'poll loop'({ url, prefix }) {
    const redis = await ioredis(url)
    return {
      async run(key, work) {
        for (;;) {
          const stored = await redis.get(prefix + key)
          if (stored !== null) return JSON.parse(stored)
          if ((await redis.set(`${prefix}${key}:lock`, '1', 'EX', 120, 'NX')) === 'OK') break
          await delay(50)
        }
        const value = await work()
        await redis.set(prefix + key, JSON.stringify(value), 'PX', TTL_MS)
        await redis.del(`${prefix}${key}:lock`)
        return value
      },
      close: () => redis.disconnect(),
    }
  },

  async 'raw ioredis, cluster'({ seeds, prefix }) {
    const cluster = await ioredisCluster(seeds)
    return { run: raw(cluster, prefix, ['PX', TTL_MS]), close: () => cluster.disconnect() }
  },

  async 'idem, ioredis cluster'({ seeds, prefix }) {
    const { redisClusterStore } = await import('@idem/redis-cluster')
    const cluster = await ioredisCluster(seeds)
    return sharing(redisClusterStore(cluster, { prefix }), () => cluster.disconnect())
  },
}

/** Those that make one call for duplicates in several processes. */
export const SHARING = ['idem, ioredis', 'idem, node-redis', 'poll loop', ...WAITING]
export const PEERS = Object.keys(peers)
