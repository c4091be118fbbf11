import type { Store } from '@idem/core/store'
import {
  type RedisDriver,
  type RedisStoreOptions,
  readiness,
  redisStore,
  triesOf,
} from '@idem/redis-protocol'
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
    async subscriber(onMessage, onMissed) {
      const connection = client.duplicate()
      connection.on('error', onMissed)
      const listener: NodeRedisListener = (message, channel) => onMessage(channel.toString(), message)
      let closed = false
      // destroy() overlooks a socket that is just being opened, which would stay open (in 5.x it does).
      connection.on('ready', () => closed && connection.destroy())
      // If its owner closes the client, this connection is closed too: nothing is left that keeps a process alive.
      client.on('end', () => connection.isOpen && connection.destroy())
      const ready = onceReady(connection)
      return {
        async subscribe(channel) {
          // Connects at first, and again if the client's `reconnectStrategy` gave up. Its events tell how the try went.
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

function onceReady(client: NodeRedisClient): () => Promise<void> | undefined {
  // Never taken off: `createClient()` gives an object whose prototype is the emitter, and Node answers the removal of
  // its last listener with a list of its own, in which nothing would be heard any more.
  const tries = triesOf(client, client.isReady, ({ succeeded, ended, erred }) => {
    client.on('ready', succeeded).on('error', (error) => {
      erred(error)
      // Hears when a connection is lost, and when a try to open it has failed.
      if (!client.isReady) ended()
    })
  })
  return readiness({
    state() {
      if (!client.isOpen) return 'closed'
      if (client.isReady) return 'ready'
      return tries.haveFailed ? 'lost' : 'connecting'
    },
    lastError: () => tries.lastError,
    onChange(listener) {
      // A `reconnectStrategy` that gives up emits 'error' last, too.
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
