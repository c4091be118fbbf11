import { storeConformance } from '@idem/conformance'
import { startRedis, type TestRedis } from '@idem/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { underTest } from './clients.js'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

storeConformance({
  name: 'valkeyGlideStore on a GlideClient',
  ...underTest('GlideClient', () => ({ urls: [redis.url], prefix: redis.prefix })),
  runner: { describe, test: test.concurrent },
})
