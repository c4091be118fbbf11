import { type Store, StoreError } from '@idem/core'
import { type RedisDriver, type RedisStoreOptions, redisStore } from '@idem/redis-protocol'
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
      return {
        subscribe: async (channel) => void (await ready().then(() => connection.ssubscribe(channel))),
        unsubscribe: async (channel) => void (await connection.sunsubscribe(channel)),
        close: async () => connection.disconnect(),
      }
    },
  }
}

/** Resolves when the client is connected, asking one made with `lazyConnect` to connect; rejects when it was closed. */
function onceReady(client: IoredisClient): () => Promise<void> {
  let connecting: Promise<void> | undefined
  return async () => {
    if (client.status === 'ready') return
    connecting ??= connected(client).finally(() => {
      connecting = undefined
    })
    await connecting
  }
}

function connected(client: IoredisClient): Promise<void> {
  if (client.status === 'wait') client.connect().catch(() => {}) // The events below tell how it went.
  return new Promise((resolve, reject) => {
    const settle = () => {
      client.off('ready', settle)
      client.off('end', settle)
      if (client.status === 'ready') resolve()
      else reject(new StoreError('The Redis client was closed.', { effect: 'none' }))
    }
    if (client.status === 'end') settle()
    client.once('ready', settle)
    client.once('end', settle)
  })
}
