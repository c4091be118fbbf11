export type { RedisStoreOptions } from '@idem/redis-protocol'
export type { IoredisClient } from './ioredis-client.js'
export { ioredisStore } from './ioredis-store.js'
