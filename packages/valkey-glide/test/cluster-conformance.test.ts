import { storeConformance } from '@idem/conformance'
import { startRedisCluster, type TestCluster } from '@idem/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { underTest } from './clients.js'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster.stop())

const where = () => ({ urls: cluster.nodes.map(({ url }) => url), prefix: cluster.prefix })

for (const kind of [
  'GlideClusterClient with a subscriber',
  'GlideClusterClient without a subscriber',
] as const) {
  storeConformance({
    name: `valkeyGlideStore on a ${kind}`,
    ...underTest(kind, where),
    runner: { describe, test: test.concurrent },
  })
}
