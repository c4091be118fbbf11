import { storeConformance } from '@idem/conformance'
import { startRedisCluster, type TestCluster } from '@idem/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { clients } from './clients.js'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster.stop())

for (const [name, open] of Object.entries(clients)) {
  storeConformance({
    name: `redisClusterStore on ${name}`,
    open: () => open(cluster),
    runner: { describe, test: test.concurrent },
  })
}
