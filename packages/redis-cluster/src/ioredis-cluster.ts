import { type RedisDriver, readiness, triesOf } from '@idem/redis-protocol'
import slotOf from 'cluster-key-slot'

/** What `pipeline()` of ioredis gives. */
export interface IoredisPipeline {
  callBuffer(command: string, ...args: (string | Buffer)[]): IoredisPipeline
  exec(): Promise<[error: Error | null, reply: unknown][] | null>
}

/** The part of an ioredis `Cluster` that is used, told by its shape. */
export interface IoredisCluster {
  readonly isCluster: boolean
  readonly status: string
  readonly options: {
    readonly keyPrefix?: string | undefined
    readonly enableAutoPipelining?: boolean | undefined
    readonly redisOptions?: { readonly keyPrefix?: string | undefined } | undefined
  }
  /** For each slot the addresses of its nodes, the master first. */
  readonly slots: readonly (readonly string[])[]
  callBuffer(command: string, ...args: (string | Buffer)[]): Promise<unknown>
  pipeline(): IoredisPipeline
  connect(): Promise<unknown>
  duplicate(startupNodes: [], options: { shardedSubscribers: boolean; redisOptions: object }): IoredisCluster
  disconnect(): void
  ssubscribe(channel: string): Promise<unknown>
  sunsubscribe(channel: string): Promise<unknown>
  on(event: 'smessageBuffer', listener: (channel: Buffer, message: Buffer) => void): this
  on(event: 'ready' | 'close' | 'end' | 'error', listener: (error: unknown) => void): this
  on(event: '-node' | '-subscriber', listener: () => void): this
  off(event: 'ready' | 'close' | 'end', listener: () => void): this
}

export function ioredisClusterDriver(client: IoredisCluster): RedisDriver {
  return {
    send: (_key, [command = '', ...args]) => send(client, String(command), args),
    domain: (key) => client.slots[slotOf(key)]?.[0] ?? '',
    ready: onceReady(client),
    async subscriber(onMessage, onMissed) {
      // With numbers as text ioredis loses its way among the slots of subscriptions.
      const redisOptions = { ...client.options.redisOptions, stringNumbers: false }
      const connection = client.duplicate([], { shardedSubscribers: true, redisOptions })
      connection.on('-node', onMissed).on('-subscriber', onMissed)
      connection.on('smessageBuffer', (channel, message) => onMessage(channel.toString(), message))
      const ready = onceReady(connection)
      const disconnect = () => connection.disconnect()
      // If its owner closes the client, this connection is closed too: nothing is left that keeps a process alive.
      client.on('end', disconnect)
      return {
        async subscribe(channel) {
          await ready()
          await connection.ssubscribe(channel)
        },
        async unsubscribe(channel) {
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

function send(client: IoredisCluster, command: string, args: (string | Buffer)[]): Promise<unknown> {
  return client.options.enableAutoPipelining
    ? sendByPipeline(client, command, args)
    : client.callBuffer(command, ...args)
}

/** With that option `callBuffer` loses the command's name. A pipeline of one keeps it. */
async function sendByPipeline(
  client: IoredisCluster,
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
function onceReady(client: IoredisCluster): () => Promise<void> | undefined {
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
