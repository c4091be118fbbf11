import { randomUUID } from 'node:crypto'
import { storeConformance } from '@idem/conformance'
import { killConnections, startRedis, type TestRedis } from '@idem/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { nodeRedisStore } from '../src/index.js'
import { clientNames, connect } from './connect.mjs'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

for (const clientName of clientNames) {
  /** One more handle, with a client of its own as another process would have. */
  async function open() {
    const { url, prefix } = redis
    const name = randomUUID()
    const client = await connect(clientName, { url, name })
    const store = nodeRedisStore(client, { prefix })
    return {
      store,
      disrupt: () => killConnections([url], name),
      async close() {
        await store.close()
        client.destroy()
      },
    }
  }

  /** A process of its own. */
  const fork = () => ({
    module: new URL('./store-process.mjs', import.meta.url),
    env: { HANDLE: JSON.stringify({ clientName, url: redis.url, prefix: redis.prefix }) },
  })

  storeConformance({
    name: `nodeRedisStore (${clientName})`,
    open,
    fork,
    runner: { describe, test: test.concurrent },
  })
}
