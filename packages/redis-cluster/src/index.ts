export type { RedisStoreOptions } from '@idem/redis-protocol'
export type { IoredisCluster } from './ioredis-cluster.js'
export type { NodeRedisCluster } from './node-redis-cluster.js'
export { redisClusterStore } from './redis-cluster-store.js'
