import { type Area, storeConformance } from '@idem/conformance'
import { startRedisCluster, type TestCluster } from '@idem/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { clientNames, underTest } from './clients.js'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster.stop())

// Where an older client differs: in how it connects, in bytes that come back, in hints. All else is what the server does.
const OF_THE_CLIENT = new Set<Area>(['acquire', 'values', 'live', 'reports', 'wake', 'close'])

for (const clientName of clientNames) {
  storeConformance({
    name: `redisClusterStore on ${clientName}`,
    ...underTest(clientName, () => cluster),
    only: ({ area }) => clientName !== 'node-redis 5' || OF_THE_CLIENT.has(area),
    runner: { describe, test: test.concurrent },
  })
}
