import type { Store } from '@idem/core'
import { type RedisDriver, type RedisStoreOptions, readiness, redisStore } from '@idem/redis-protocol'
import { assertUsable, type IoredisClient } from './ioredis-client.js'

/**
 * A store on a Redis 7.0 or newer, through a client of ioredis. The client stays yours: it is never closed; one more
 * connection is made from it (`duplicate()`) at the first wait, and closed with the store.
 *
 * @throws InvalidArgumentError for a closed client, one with `keyPrefix`, or a Cluster
 */
export function ioredisStore(client: IoredisClient, options?: RedisStoreOptions): Store {
  assertUsable(client)
  return redisStore(driverOf(client), options)
}

function driverOf(client: IoredisClient): RedisDriver {
  return {
    send: (_key, [command = '', ...args]) => client.callBuffer(String(command), ...args),
    ready: onceReady(client),
    async subscriber(onMessage) {
      const connection = client.duplicate()
      // Without a listener ioredis prints connection errors; the client it was made from reports the same.
      connection.on('error', () => {})
      connection.on('smessageBuffer', (channel, message) => onMessage(channel.toString(), message))
      const ready = onceReady(connection)
      const disconnect = () => connection.disconnect()
      // A client that its owner closes takes this connection with it: nothing is left that keeps a process alive.
      client.on('end', disconnect)
      return {
        subscribe: async (channel) => void (await ready().then(() => connection.ssubscribe(channel))),
        unsubscribe: async (channel) => void (await ready().then(() => connection.sunsubscribe(channel))),
        async close() {
          client.off('end', disconnect)
          disconnect()
        },
      }
    },
  }
}

/** A client made with `lazyConnect` is asked to connect, as its first command would. */
function onceReady(client: IoredisClient): () => Promise<void> {
  return readiness({
    state() {
      if (client.status === 'ready') return 'ready'
      if (client.status === 'end') return 'closed'
      return client.status === 'reconnecting' || client.status === 'close' ? 'lost' : 'connecting'
    },
    onChange(listener) {
      client.on('ready', listener).on('close', listener).on('end', listener)
      if (client.status === 'wait') client.connect().catch(() => {}) // Its events tell how it went.
      return () => client.off('ready', listener).off('close', listener).off('end', listener)
    },
  })
}
