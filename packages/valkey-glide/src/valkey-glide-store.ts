import type { Store } from '@idem/core/store'
import { type RedisDriver, type RedisStoreOptions, readiness, redisStore } from '@idem/redis-protocol'
import { assertUsable, BYTES, isClosed, isCluster, type ValkeyGlideClient } from './valkey-glide-client.js'
import { asSent } from './valkey-glide-errors.js'
import { type OpenSubscriber, subscriberOf } from './valkey-glide-subscriber.js'

export interface ValkeyGlideStoreOptions extends RedisStoreOptions {
  /**
   * Makes the client for hints, of your addresses and credentials and of what it is given:
   * `(config) => GlideClusterClient.createClient({ addresses, ...config })`. GLIDE hands messages only to a callback
   * that a client is created with, and makes no second client of a first. Called at the first wait; that client is
   * closed with the store.
   * @default none: waiters poll alone, as they always do on a `GlideClient`, which has no sharded subscriptions
   */
  readonly subscriber?: OpenSubscriber
}

/**
 * A store on a Valkey, or Redis 7.0 or newer, through a `GlideClient` or `GlideClusterClient` of valkey-glide. The
 * client stays yours: it is never closed.
 *
 * @throws InvalidArgumentError for a closed client, one of another package, or a `subscriber` that cannot be used
 */
export function valkeyGlideStore(client: ValkeyGlideClient, options: ValkeyGlideStoreOptions = {}): Store {
  const { subscriber, ...rest } = options
  assertUsable(client, subscriber)
  return redisStore(
    { ...driverOf(client), ...(subscriber && { subscriber: subscriberOf(client, subscriber) }) },
    rest,
  )
}

function driverOf(client: ValkeyGlideClient): RedisDriver {
  const cluster = isCluster(client)
  return {
    async send(key, command) {
      // Without a route a GET would go to a replica where `readFrom` says so, and miss what was just written.
      const route = { type: 'primarySlotKey', key } as const
      try {
        return await client.customCommand([...command], { decoder: BYTES, ...(cluster && { route }) })
      } catch (error) {
        throw asSent(error)
      }
    },
    // GLIDE does not tell whether it is connected. It has no queue to fear: what could not be sent within
    // `requestTimeout` is dropped.
    ready: readiness({ state: () => (isClosed(client) ? 'closed' : 'ready'), onChange: () => () => {} }),
  }
}
