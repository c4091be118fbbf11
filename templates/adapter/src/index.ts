export type { RedisStoreOptions } from '@idem/redis-protocol'
export type { __Pascal__Client } from './__name__-client.js'
export { __camel__Store } from './__name__-store.js'
