import { storeConformance } from '@idem/conformance'
import { startRedis, type TestRedis } from '@idem/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type __Pascal__Client, __camel__Store } from '../src/index.js'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** One more handle, with a client of its own as another process would have. */
async function open() {
  const client = await connect(redis.url)
  const store = __camel__Store(client, { prefix: redis.prefix })
  return { store, close: () => store.close() /* WRITE: and close the client. */ }
}

async function connect(url: string): Promise<__Pascal__Client> {
  throw new Error(`WRITE: a client connected to ${url}`)
}

storeConformance({ name: '__camel__Store', open, runner: { describe, test: test.concurrent } })
