import { storeConformance } from '@idem/conformance'
import { startRedisCluster, type TestCluster } from '@idem/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { clientNames, underTest } from './clients.js'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster.stop())

for (const clientName of clientNames) {
  storeConformance({
    name: `redisClusterStore on ${clientName}`,
    ...underTest(clientName, () => cluster),
    runner: { describe, test: test.concurrent },
  })
}
