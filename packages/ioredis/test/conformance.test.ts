import { storeConformance } from '@idem/conformance'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { ioredisStore } from '../src/index.js'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** One more handle, with a client of its own as another process would have. */
function open() {
  const client = new Redis(redis.url)
  const store = ioredisStore(client, { prefix: redis.prefix })
  return {
    store,
    async close() {
      await store.close()
      client.disconnect()
    },
  }
}

storeConformance({ name: 'ioredisStore', open, runner: { describe, test: test.concurrent } })
