import { InvalidArgumentError } from '@idem/core'
import type { Store } from '@idem/core/store'
import { type RedisDriver, type RedisStoreOptions, redisStore } from '@idem/redis-protocol'
import { type IoredisCluster, ioredisClusterDriver } from './ioredis-cluster.js'
import { type NodeRedisCluster, nodeRedisClusterDriver } from './node-redis-cluster.js'

/**
 * A store on a Redis Cluster (7.0 or newer), through a `Cluster` of ioredis or a `createCluster()` of node-redis. Keys
 * spread over the slots and nothing is cross-slot. The client stays yours: it is never closed; one more is made from
 * it (`duplicate()`) at the first wait, for hints on sharded channels, and closed with the store.
 *
 * @throws InvalidArgumentError for a closed client, one with a key prefix, or a client of a single server
 */
export function redisClusterStore(
  client: IoredisCluster | NodeRedisCluster,
  options?: RedisStoreOptions,
): Store {
  return redisStore(driverOf(client), options)
}

/** The two clients are told apart by a method that only one of them has. */
function driverOf(client: IoredisCluster | NodeRedisCluster): RedisDriver {
  if ('getSlotMaster' in Object(client)) return nodeRedisClusterDriver(usable(client as NodeRedisCluster))
  if ((client as Partial<IoredisCluster>)?.isCluster === true) {
    return ioredisClusterDriver(usable(client as IoredisCluster))
  }
  if ('callBuffer' in Object(client)) {
    throw new InvalidArgumentError(
      'This is a client of one server: use ioredisStore(client) of @idem/ioredis.',
    )
  }
  if ('sendCommand' in Object(client)) {
    throw new InvalidArgumentError(
      'This is a client of one server: use nodeRedisStore(client) of @idem/node-redis.',
    )
  }
  throw new InvalidArgumentError(
    'redisClusterStore takes a Cluster of ioredis, or what createCluster() of redis returns.',
  )
}

function usable<Client extends IoredisCluster | NodeRedisCluster>(client: Client): Client {
  const prefixed = 'isCluster' in client ? prefixOf(client) : client._keyPrefix
  if (prefixed) {
    // Clients put it before keys or not, depending on the command, and never before channels.
    throw new InvalidArgumentError(
      'A client with keyPrefix cannot be used. Give a client without one, and redisClusterStore(client, { prefix }).',
    )
  }
  const closed = 'isCluster' in client ? client.status === 'end' : !client.isOpen
  if (!closed) return client
  throw new InvalidArgumentError(
    'This client is not open: it was closed, or never connected. Give one that is; idem never closes it.',
  )
}

/** An option of the cluster, or of its nodes. */
function prefixOf({ options }: IoredisCluster): string | undefined {
  return options.keyPrefix || options.redisOptions?.keyPrefix
}
