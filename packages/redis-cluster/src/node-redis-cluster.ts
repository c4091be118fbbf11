import { type RedisDriver, type RedisSubscriber, readiness } from '@idem/redis-protocol'
import slotOf from 'cluster-key-slot'

type Listener = (message: Buffer, channel: Buffer) => void

/** The part of a node-redis `createCluster()` that is used, told by its shape. */
export interface NodeRedisCluster {
  readonly isOpen: boolean
  readonly isReady: boolean
  readonly _keyPrefix?: unknown
  getSlotMaster(slot: number): { readonly address: string } | undefined
  sendCommand(
    key: string,
    isReadonly: boolean,
    command: (string | Buffer)[],
    options: { typeMapping: Record<number, typeof Buffer> },
  ): Promise<unknown>
  connect(): Promise<unknown>
  duplicate(): NodeRedisCluster
  destroy(): void
  sSubscribe(channel: string, listener: Listener, bufferMode: true): Promise<void>
  sUnsubscribe(channel: string, listener: Listener, bufferMode: true): Promise<void>
  on(event: 'connect' | 'disconnect' | 'error', listener: () => void): this
  off(event: 'connect' | 'disconnect', listener: () => void): this
}

/** The RESP type of bulk strings, `$`: they come as Buffers. */
const BULK_STRINGS_AS_BUFFERS = { typeMapping: { 36: Buffer } }

export function nodeRedisClusterDriver(client: NodeRedisCluster): RedisDriver {
  return {
    send: (key, command) => client.sendCommand(key, false, [...command], BULK_STRINGS_AS_BUFFERS),
    domain: (key) => client.getSlotMaster(slotOf(key))?.address ?? '',
    ready: readiness({
      state: () => (client.isReady ? 'ready' : client.isOpen ? 'connecting' : 'closed'),
      onChange(listener) {
        client.on('connect', listener).on('disconnect', listener)
        return () => client.off('connect', listener).off('disconnect', listener)
      },
    }),
    async subscriber(onMessage): Promise<RedisSubscriber> {
      const connection = client.duplicate()
      // An 'error' without a listener ends the process; the client it was made from reports the same.
      connection.on('error', () => {})
      // A client that its owner closes takes this connection with it: nothing is left that keeps a process alive.
      client.on('disconnect', () => connection.isOpen && connection.destroy())
      const listener: Listener = (message, channel) => onMessage(channel.toString(), message)
      let connecting: Promise<unknown> | undefined
      return {
        async subscribe(channel) {
          // Also where an earlier try was given up.
          if (!connection.isOpen) connecting = connection.connect()
          await connecting
          await connection.sSubscribe(channel, listener, true)
        },
        unsubscribe: (channel) => connection.sUnsubscribe(channel, listener, true),
        async close() {
          if (connection.isOpen) connection.destroy()
        },
      }
    },
  }
}
