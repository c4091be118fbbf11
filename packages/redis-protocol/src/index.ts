export type { RedisDriver, RedisSubscriber } from './driver.js'
export { type Connecting, readiness } from './readiness.js'
export { type RedisStoreOptions, redisStore } from './redis-store.js'
