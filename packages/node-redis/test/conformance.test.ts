import { storeConformance } from '@idem/conformance'
import { startRedis, type TestRedis } from '@idem/testing'
import { createClient } from 'redis'
import { createClient as createClient5 } from 'redis-5'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type NodeRedisClient, nodeRedisStore } from '../src/index.js'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const clients: Record<string, () => NodeRedisClient> = {
  'redis 6, RESP 3': () => createClient({ url: redis.url, RESP: 3 }),
  'redis 6, RESP 2': () => createClient({ url: redis.url, RESP: 2 }),
  'redis 5, RESP 3': () => createClient5({ url: redis.url, RESP: 3 }),
  'redis 5, RESP 2': () => createClient5({ url: redis.url }),
}

for (const [name, create] of Object.entries(clients)) {
  /** One more handle, with a client of its own as another process would have. */
  async function open() {
    const client = create()
    await client.connect()
    const store = nodeRedisStore(client, { prefix: redis.prefix })
    return {
      store,
      async close() {
        await store.close()
        client.destroy()
      },
    }
  }

  storeConformance({ name: `nodeRedisStore (${name})`, open, runner: { describe, test: test.concurrent } })
}
