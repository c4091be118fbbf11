export type { RedisDriver, RedisSubscriber } from './driver.js'
export { type Connecting, notReady, readiness, type Tries, triesOf } from './readiness.js'
export { type RedisStoreOptions, redisStore } from './redis-store.js'
