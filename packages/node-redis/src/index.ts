export type { RedisStoreOptions } from '@idem/redis-protocol'
export type { NodeRedisClient } from './node-redis-client.js'
export { nodeRedisStore } from './node-redis-store.js'
