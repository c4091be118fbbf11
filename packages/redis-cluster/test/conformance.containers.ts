import { storeConformance } from '@idem/conformance'
import { startRedisClusterContainer, type TestClusterContainer } from '@idem/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { clientNames, underTest } from './clients.js'

let cluster: TestClusterContainer
beforeAll(async () => {
  cluster = await startRedisClusterContainer()
})
afterAll(() => cluster.stop())

// What an older client does differently shows on servers of this machine.
for (const clientName of clientNames.filter((name) => name !== 'node-redis 5')) {
  storeConformance({
    name: `redisClusterStore on ${clientName}, in a container`,
    ...underTest(clientName, () => cluster),
    runner: { describe, test: test.concurrent },
  })
}
