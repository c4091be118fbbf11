import type { Store } from '@idem/core/store'
import {
  type RedisDriver,
  type RedisStoreOptions,
  readiness,
  redisStore,
  triesOf,
} from '@idem/redis-protocol'
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
    send: (_key, [command = '', ...args]) => {
      gatherWrites(client)
      return send(client, String(command), args)
    },
    ready: onceReady(client),
    async subscriber(onMessage, onMissed) {
      // ioredis subscribes again by itself, but a failure of that is an unhandled rejection, which ends the process.
      const connection = client.duplicate({ autoResubscribe: false })
      const channels = new Set<string>()
      connection.on('ready', () => {
        for (const channel of channels) connection.ssubscribe(channel).catch(() => {}) // Waiters poll then.
      })
      connection.on('close', onMissed)
      connection.on('smessageBuffer', (channel, message) => onMessage(channel.toString(), message))
      const ready = onceReady(connection)
      const disconnect = () => connection.disconnect()
      // If its owner closes the client, this connection is closed too: nothing is left that keeps a process alive.
      client.on('end', disconnect)
      return {
        async subscribe(channel) {
          await ready()
          channels.add(channel)
          try {
            await connection.ssubscribe(channel)
          } catch (error) {
            channels.delete(channel)
            throw error
          }
        },
        async unsubscribe(channel) {
          channels.delete(channel)
          await ready()
          await connection.sunsubscribe(channel)
        },
        async close() {
          client.off('end', disconnect)
          disconnect()
        },
      }
    },
  }
}

/** The sockets whose writes are being gathered. */
const gathering = new WeakSet<object>()

/**
 * Has the commands of one turn of the event loop leave in one write: a write for each costs more than all the rest of
 * a command. ioredis does not promise its socket: without one, each command is written by itself.
 */
function gatherWrites({ stream }: IoredisClient): void {
  if (typeof stream?.cork !== 'function' || gathering.has(stream)) return
  gathering.add(stream)
  stream.cork()
  process.nextTick(() => {
    gathering.delete(stream)
    stream.uncork()
  })
}

function send(client: IoredisClient, command: string, args: (string | Buffer)[]): Promise<unknown> {
  return client.options.enableAutoPipelining
    ? sendByPipeline(client, command, args)
    : client.callBuffer(command, ...args)
}

/** With that option `callBuffer` loses the command's name. A pipeline of one keeps it. */
async function sendByPipeline(
  client: IoredisClient,
  command: string,
  args: (string | Buffer)[],
): Promise<unknown> {
  const [[error, reply] = []] =
    (await client
      .pipeline()
      .callBuffer(command, ...args)
      .exec()) ?? []
  if (error) throw error
  return reply
}

/** A client made with `lazyConnect` is asked to connect, as its first command would. */
function onceReady(client: IoredisClient): () => Promise<void> | undefined {
  const tries = triesOf(client, client.status === 'ready', ({ succeeded, ended, erred }) => {
    client.on('ready', succeeded).on('close', ended).on('error', erred)
  })
  return readiness({
    state() {
      if (client.status === 'ready') return 'ready'
      if (client.status === 'end') return 'closed'
      const isDown = client.status === 'reconnecting' || client.status === 'close'
      return isDown && tries.haveFailed ? 'lost' : 'connecting'
    },
    lastError: () => tries.lastError,
    onChange(listener) {
      client.on('ready', listener).on('close', listener).on('end', listener)
      if (client.status === 'wait') client.connect().catch(() => {}) // The client's events tell how the try went.
      return () => client.off('ready', listener).off('close', listener).off('end', listener)
    },
  })
}
