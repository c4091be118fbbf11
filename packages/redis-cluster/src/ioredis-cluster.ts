import { type RedisDriver, readiness } from '@idem/redis-protocol'
import slotOf from 'cluster-key-slot'

/** The part of an ioredis `Cluster` that is used, told by its shape. */
export interface IoredisCluster {
  readonly isCluster: boolean
  readonly status: string
  readonly options: { readonly keyPrefix?: string }
  /** For each slot the addresses of its nodes, the master first. */
  readonly slots: readonly (readonly string[])[]
  callBuffer(command: string, ...args: (string | Buffer)[]): Promise<unknown>
  connect(): Promise<unknown>
  duplicate(startupNodes: [], options: { shardedSubscribers: boolean }): IoredisCluster
  disconnect(): void
  ssubscribe(channel: string): Promise<unknown>
  sunsubscribe(channel: string): Promise<unknown>
  on(event: 'smessageBuffer', listener: (channel: Buffer, message: Buffer) => void): this
  on(event: 'ready' | 'close' | 'end' | 'error', listener: () => void): this
  off(event: 'ready' | 'close' | 'end', listener: () => void): this
}

export function ioredisClusterDriver(client: IoredisCluster): RedisDriver {
  return {
    send: (_key, [command = '', ...args]) => client.callBuffer(String(command), ...args),
    domain: (key) => client.slots[slotOf(key)]?.[0] ?? '',
    ready: onceReady(client),
    async subscriber(onMessage) {
      const connection = client.duplicate([], { shardedSubscribers: true })
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
function onceReady(client: IoredisCluster): () => Promise<void> {
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
