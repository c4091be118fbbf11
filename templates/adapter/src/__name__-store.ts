import type { Store } from '@idem/core/store'
import { type RedisDriver, type RedisStoreOptions, redisStore } from '@idem/redis-protocol'
import { type __Pascal__Client, assertUsable } from './__name__-client.js'

/**
 * A store on a Redis 7.0 or newer, through a client of __name__. The client stays yours: it is never closed.
 *
 * @throws InvalidArgumentError for a client that cannot be used
 */
export function __camel__Store(client: __Pascal__Client, options?: RedisStoreOptions): Store {
  assertUsable(client)
  return redisStore(driverOf(client), options)
}

function driverOf(client: __Pascal__Client): RedisDriver {
  return {
    // WRITE: bulk strings must come back as Buffers, and Buffers go out as they are.
    send: (_key, command) => client.sendCommand(command),
    // WRITE: wait until a command would be sent at once; `readiness` of @idem/redis-protocol helps.
    ready: async () => {},
    // WRITE: `subscriber`, if the client has sharded subscriptions. Without it waiters poll alone.
  }
}
