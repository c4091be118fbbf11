import { randomUUID } from 'node:crypto'
import { storeConformance } from '@idem/conformance'
import { killConnections, startRedis, type TestRedis } from '@idem/testing'
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
  // The connection for hints is made from the client, and has its name.
  const connectionName = randomUUID()
  const client = new Redis(redis.url, { connectionName })
  client.on('error', () => {}) // Told of what is broken on purpose.
  const store = ioredisStore(client, { prefix: redis.prefix })
  return {
    store,
    disrupt: () => killConnections([redis.url], connectionName),
    async close() {
      await store.close()
      client.disconnect()
    },
  }
}

/** A process of its own. */
const fork = () => ({
  module: new URL('./store-process.mjs', import.meta.url),
  env: { REDIS_URL: redis.url, PREFIX: redis.prefix },
})

storeConformance({
  name: 'ioredisStore',
  open,
  fork,
  runner: { describe: describe.concurrent, test },
})
