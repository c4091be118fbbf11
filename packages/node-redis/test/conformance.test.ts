import { randomUUID } from 'node:crypto'
import { type Area, storeConformance } from '@idem/conformance'
import { killConnections, startRedis, type TestRedis } from '@idem/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { nodeRedisStore } from '../src/index.js'
import { clientNames, connect } from './connect.mjs'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

// Where the version of the client and of RESP show together: in bytes that come back, in hints and in connections. All
// else is what the server does, and is tested by the newest and the oldest of both.
const WHOLE = ['redis 6, RESP 3', 'redis 5, RESP 2']
const OF_THE_CLIENT = new Set<Area>(['values', 'live', 'reports', 'wake', 'close'])
// A container differs by its server alone.
const tested = process.env.IDEM_TEST_REDIS === 'container' ? WHOLE : clientNames

for (const clientName of tested) {
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
    only: ({ area }) => WHOLE.includes(clientName) || OF_THE_CLIENT.has(area),
    runner: { describe, test: test.concurrent },
  })
}
