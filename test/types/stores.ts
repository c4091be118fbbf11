// What an adapter takes, with the client's own types.
import { createIdem } from '@idem/core'
import { ioredisStore } from '@idem/ioredis'
import { nodeRedisStore } from '@idem/node-redis'
import { redisClusterStore } from '@idem/redis-cluster'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { createClient, createCluster } from 'redis'

createIdem({ store: ioredisStore(new Redis()) })
createIdem({ store: ioredisStore(new Redis5()) })
createIdem({ store: ioredisStore(new Redis({ lazyConnect: true }), { prefix: 'a' }) })
createIdem({ store: redisClusterStore(new Cluster([])) })
createIdem({ store: redisClusterStore(new Cluster5([])) })
createIdem({ store: nodeRedisStore(createClient()) })
createIdem({ store: redisClusterStore(createCluster({ rootNodes: [] })) })

// error: not assignable
ioredisStore({})
