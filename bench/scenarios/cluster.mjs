// Hits through a cluster client.
import { startRedisCluster } from '@idem/testing'
import { compare } from './over-redis.mjs'

export async function clusterHit({ count }, masters) {
  // A node that has met no other does not know its own address.
  const args = ['--cluster-announce-ip', '127.0.0.1']
  const cluster = await startRedisCluster({ masters, replicas: 0, args })
  const rows = await compare(
    cluster,
    count,
    ['raw ioredis, cluster', 'idem, ioredis cluster'],
    (worker) => worker.call('fill', 64, 4_096),
    async (worker) => {
      const { perSecond, cpuUs } = await worker.call('hits', 300, 64, 64)
      return { 'calls/s': perSecond, 'CPU us': cpuUs }
    },
    'calls/s',
  )
  await cluster.stop()
  return rows
}
