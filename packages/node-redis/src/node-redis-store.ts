import type { Store } from '@idem/core'
import { type RedisDriver, type RedisStoreOptions, readiness, redisStore } from '@idem/redis-protocol'
import { assertUsable, type NodeRedisClient, type NodeRedisListener } from './node-redis-client.js'

/** The RESP type of bulk strings, `$`: they come as Buffers. */
const BULK_STRINGS_AS_BUFFERS = { typeMapping: { 36: Buffer } }

/**
 * A store on a Redis 7.0 or newer, through a `createClient()` of node-redis. `connect()` must have been called; it need
 * not be done. The client stays yours: it is never closed; one more connection is made from it (`duplicate()`) at the
 * first wait, and closed with the store.
 *
 * @throws InvalidArgumentError for a client that is closed or was never connected, one with `keyPrefix`, or a cluster
 */
export function nodeRedisStore(client: NodeRedisClient, options?: RedisStoreOptions): Store {
  assertUsable(client)
  return redisStore(driverOf(client), options)
}

function driverOf(client: NodeRedisClient): RedisDriver {
  return {
    send: (_key, command) => client.sendCommand(command, BULK_STRINGS_AS_BUFFERS),
    ready: onceReady(client),
    async subscriber(onMessage) {
      const connection = client.duplicate()
      const listener: NodeRedisListener = (message, channel) => onMessage(channel.toString(), message)
      let closed = false
      // An 'error' without a listener ends the process; the client it was made from reports the same.
      connection.on('error', () => {})
      // destroy() misses a socket that is just being opened: it would stay. (In 5.x it does.)
      connection.on('ready', () => closed && connection.destroy())
      // A client that its owner closes takes this connection with it: nothing is left that keeps a process alive.
      client.on('end', () => connection.isOpen && connection.destroy())
      const ready = onceReady(connection)
      return {
        async subscribe(channel) {
          // At first, and again where its `reconnectStrategy` gave up. Its events tell how it went.
          if (!connection.isOpen && !closed) connection.connect().catch(() => {})
          await ready()
          await connection.sSubscribe(channel, listener, true)
        },
        unsubscribe: (channel) => connection.sUnsubscribe(channel, listener, true),
        async close() {
          closed = true
          if (connection.isOpen) connection.destroy()
        },
      }
    },
  }
}

function onceReady(client: NodeRedisClient): () => Promise<void> {
  let lost = false
  // Never taken off: `createClient()` gives an object whose prototype is the emitter, and Node answers the removal of
  // its last listener with a list of its own, in which nothing would be heard any more.
  client.on('reconnecting', () => {
    lost = true
  })
  client.on('ready', () => {
    lost = false
  })
  return readiness({
    state() {
      if (!client.isOpen) return 'closed'
      if (client.isReady) return 'ready'
      return lost ? 'lost' : 'connecting'
    },
    onChange(listener) {
      // 'error' is also the last word of a `reconnectStrategy` that gives up.
      client.on('ready', listener).on('end', listener).on('error', listener).on('reconnecting', listener)
      return () =>
        client
          .off('ready', listener)
          .off('end', listener)
          .off('error', listener)
          .off('reconnecting', listener)
    },
  })
}
