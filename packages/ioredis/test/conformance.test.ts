import { randomUUID } from 'node:crypto'
import { storeConformance } from '@idem/conformance'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { ioredisStore } from '../src/index.js'

let redis: TestRedis
let admin: Redis
beforeAll(async () => {
  redis = await startRedis()
  admin = new Redis(redis.url)
})
afterAll(async () => {
  admin.disconnect()
  await redis.stop()
})

/** One more handle, with a client of its own as another process would have. */
function open() {
  // The connection for hints is made from the client, and has its name.
  const connectionName = randomUUID()
  const client = new Redis(redis.url, { connectionName })
  client.on('error', () => {}) // Told of what is broken on purpose.
  const store = ioredisStore(client, { prefix: redis.prefix })
  return {
    store,
    disrupt: () => killConnections(connectionName),
    async close() {
      await store.close()
      client.disconnect()
    },
  }
}

async function killConnections(name: string): Promise<void> {
  const clients = String(await admin.client('LIST')).split('\n')
  const ids = clients
    .filter((line) => line.includes(` name=${name} `))
    .map((line) => /id=(\d+)/.exec(line)![1]!)
  await Promise.all(ids.map((id) => admin.client('KILL', 'ID', id)))
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
