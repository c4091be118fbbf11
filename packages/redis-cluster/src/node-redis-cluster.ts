import { notReady, type RedisDriver, type RedisSubscriber, readiness } from '@idem/redis-protocol'
import slotOf from 'cluster-key-slot'

type Listener = (message: Buffer, channel: Buffer) => void

/** One master of the cluster. `connectPromise` is there while its client connects for the first time. */
interface NodeRedisMaster {
  readonly address: string
  readonly client?: { readonly isReady: boolean } | undefined
  readonly connectPromise?: Promise<unknown> | undefined
}

/** The part of a node-redis `createCluster()` that is used, told by its shape. */
export interface NodeRedisCluster {
  readonly isOpen: boolean
  /** Filled when the cluster has been asked for its nodes. */
  readonly masters: readonly unknown[]
  readonly _keyPrefix?: unknown
  getSlotMaster(slot: number): NodeRedisMaster | undefined
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
  on(event: 'node-error', listener: (error: unknown) => void): this
  off(event: 'connect' | 'disconnect', listener: () => void): this
}

/** The RESP type of bulk strings, `$`: they come as Buffers. */
const BULK_STRINGS_AS_BUFFERS = { typeMapping: { 36: Buffer } }

export function nodeRedisClusterDriver(client: NodeRedisCluster): RedisDriver {
  return {
    send: (key, command) => client.sendCommand(key, false, [...command], BULK_STRINGS_AS_BUFFERS),
    domain: (key) => client.getSlotMaster(slotOf(key))?.address ?? '',
    ready: onceReady(client),
    async subscriber(onMessage, onMissed): Promise<RedisSubscriber> {
      const connection = client.duplicate()
      // When a node goes the client subscribes anew by this method, and nobody awaits that: a rejection would end the
      // process. The callers here still hear of one.
      const subscribe = connection.sSubscribe.bind(connection)
      connection.sSubscribe = (...args) => {
        const subscribed = subscribe(...args)
        subscribed.catch(() => {})
        return subscribed
      }
      // An 'error' without a listener ends the process; the client it was made from reports the same.
      connection.on('error', () => {})
      connection.on('node-error', onMissed)
      // If its owner closes the client, this connection is closed too: nothing is left that keeps a process alive.
      client.on('disconnect', () => connection.isOpen && connection.destroy())
      const listener: Listener = (message, channel) => onMessage(channel.toString(), message)
      let connecting: Promise<unknown> | undefined
      return {
        async subscribe(channel) {
          // Also after an earlier try was given up.
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

/** The last error of any node. One listener for each client, however many stores it has. */
const lastErrors = new WeakMap<NodeRedisCluster, { error?: unknown }>()

function lastErrorOf(client: NodeRedisCluster): { error?: unknown } {
  const known = lastErrors.get(client)
  if (known) return known
  const last: { error?: unknown } = {}
  lastErrors.set(client, last)
  client.on('node-error', (error) => {
    last.error = error
  })
  return last
}

/**
 * Resolves when the nodes are known and the one for the key is connected: the client holds back commands to any other.
 */
function onceReady(client: NodeRedisCluster): (key?: string) => Promise<void> {
  const last = lastErrorOf(client)
  const discovered = readiness({
    state: () => (!client.isOpen ? 'closed' : client.masters.length > 0 ? 'ready' : 'connecting'),
    onChange(listener) {
      client.on('connect', listener).on('disconnect', listener)
      return () => client.off('connect', listener).off('disconnect', listener)
    },
  })
  return async (key) => {
    await discovered()
    const node = key === undefined ? undefined : client.getSlotMaster(slotOf(key))
    try {
      await node?.connectPromise
    } catch (error) {
      throw notReady('lost', error)
    }
    if (node?.client && !node.client.isReady) throw notReady('lost', last.error)
  }
}
