// Libraries that promise something of the same kind, as their own pages use them. Those that let several processes share
// one running call are in WAITING: the others make a call in each process, or refuse the duplicate.

const TTL_MS = 3_600_000

/** The callers' work is given with the key: these libraries take the function once, for all calls. */
const byKey = { serialize: ({ key }) => key }

async function ioredis(url) {
  const { default: Redis } = await import('ioredis')
  return new Redis(url)
}

export const peers = {
  async 'async-cache-dedupe'({ url, prefix }) {
    const { createCache } = await import('async-cache-dedupe')
    const client = await ioredis(url)
    const cache = createCache({ ttl: TTL_MS / 1_000, storage: { type: 'redis', options: { client } } })
    cache.define('run', byKey, ({ work }) => work())
    return { run: (key, work) => cache.run({ key: prefix + key, work }), close: () => client.disconnect() }
  },

  async bentocache({ url, prefix }) {
    const { BentoCache, bentostore } = await import('bentocache')
    const { redisDriver } = await import('bentocache/drivers/redis')
    const connection = await ioredis(url)
    const store = bentostore().useL2Layer(redisDriver({ connection, prefix }))
    const bento = new BentoCache({ default: 'redis', stores: { redis: store } })
    return {
      run: (key, factory) => bento.getOrSet({ key, factory, ttl: TTL_MS }),
      close: () => bento.disconnectAll(),
    }
  },

  async 'cache-manager, keyv'({ url, prefix }) {
    const { createCache } = await import('cache-manager')
    const { Keyv } = await import('keyv')
    const { default: KeyvRedis } = await import('@keyv/redis')
    const store = new KeyvRedis(url)
    const cache = createCache({ stores: [new Keyv({ store, namespace: prefix })], ttl: TTL_MS })
    return { run: (key, work) => cache.wrap(key, work), close: () => cache.disconnect() }
  },

  async 'Powertools idempotency'({ url, prefix }) {
    process.env.AWS_LAMBDA_FUNCTION_NAME = 'bench'
    const { makeIdempotent, IdempotencyConfig } = await import('@aws-lambda-powertools/idempotency')
    const { CachePersistenceLayer } = await import('@aws-lambda-powertools/idempotency/cache')
    const { createClient } = await import('@redis/client')
    const client = await createClient({ url }).connect()
    const config = new IdempotencyConfig({ expiresAfterSeconds: TTL_MS / 1_000 })
    config.registerLambdaContext({ getRemainingTimeInMillis: () => 60_000 })
    const run = makeIdempotent((_, work) => work(), {
      persistenceStore: new CachePersistenceLayer({ client }),
      keyPrefix: prefix,
      config,
    })
    return { run: (key, work) => run({ key }, work), close: () => client.destroy() }
  },

  async 'node-idempotency'({ url, prefix }) {
    const { default: core } = await import('@node-idempotency/core')
    const { default: adapter } = await import('@node-idempotency/storage-adapter-redis')
    const storage = new adapter.RedisStorageAdapter({ url })
    await storage.connect()
    const inProgressStrategy = { wait: true, pollingIntervalMs: 50, maxWaitMs: 60_000 }
    const options = { cacheKeyPrefix: prefix, cacheTTLMS: TTL_MS, inProgressStrategy }
    const idempotency = new core.Idempotency(storage, options)
    return {
      async run(key, work) {
        const request = { headers: { 'idempotency-key': key }, path: '/', method: 'POST', body: {} }
        const stored = await idempotency.onRequest(request)
        if (stored) return stored.body
        const body = await work()
        await idempotency.onResponse(request, { body })
        return body
      },
      close: () => storage.disconnect(),
    }
  },

  async redlock({ url, prefix }) {
    const { default: Redlock } = await import('redlock')
    const client = await ioredis(url)
    const redlock = new Redlock([client], { retryCount: 1_200, retryDelay: 50, retryJitter: 10 })
    const read = async (key) => JSON.parse(await client.get(prefix + key))
    return {
      async run(key, work) {
        const stored = await read(key)
        if (stored) return stored
        const lock = await redlock.lock(`${prefix}${key}:lock`, 60_000)
        try {
          const meanwhile = await read(key)
          if (meanwhile) return meanwhile
          const value = await work()
          await client.set(prefix + key, JSON.stringify(value), 'PX', TTL_MS)
          return value
        } finally {
          await lock.unlock()
        }
      },
      close: () => client.disconnect(),
    }
  },
}

/** Those whose duplicates in other processes get the answer of the one call. */
export const WAITING = ['node-idempotency', 'redlock']
