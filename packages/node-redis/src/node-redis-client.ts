import { InvalidArgumentError } from '@idem/core'

export type NodeRedisListener = (message: Buffer, channel: Buffer) => void

/** The part of a node-redis `createClient()` that is used, told by its shape: any copy and any version from 5 fits. */
export interface NodeRedisClient {
  readonly isOpen: boolean
  readonly isReady: boolean
  /** Members that only a client of one server has: a pool, a sentinel and a cluster lack them. */
  readonly isPubSubActive: boolean
  readonly options?: object
  sendCommand(
    command: readonly (string | Buffer)[],
    options: { readonly typeMapping: Record<number, typeof Buffer> },
  ): Promise<unknown>
  connect(): Promise<unknown>
  duplicate(): NodeRedisClient
  destroy(): void
  sSubscribe(channel: string, listener: NodeRedisListener, bufferMode: true): Promise<void>
  sUnsubscribe(channel: string, listener: NodeRedisListener, bufferMode: true): Promise<void>
  on(event: 'ready' | 'end' | 'error' | 'reconnecting', listener: (error: unknown) => void): this
  off(event: 'ready' | 'end' | 'error' | 'reconnecting', listener: () => void): this
}

/** @throws InvalidArgumentError for what cannot be a store's client, and says what to do instead. */
export function assertUsable(client: NodeRedisClient): void {
  const it = shape(client)
  if (it.slots) {
    throw new InvalidArgumentError('This is a cluster: use redisClusterStore(client) of @idem/redis-cluster.')
  }
  if (it.callBuffer) {
    throw new InvalidArgumentError('This is a client of ioredis: use ioredisStore(client) of @idem/ioredis.')
  }
  if (!it.sendCommand || !it.sSubscribe || !it.destroy || it.isPubSubActive === undefined) {
    throw new InvalidArgumentError(
      'nodeRedisStore takes a client of redis 5 or newer: nodeRedisStore(await createClient({ url }).connect()).',
    )
  }
  if (shape(it.options).keyPrefix) {
    // The prefix is not put before the names in raw commands and scripts, nor before channels.
    throw new InvalidArgumentError(
      'A client with keyPrefix cannot be used. Give a client without one, and nodeRedisStore(client, { prefix }).',
    )
  }
  if (!client.isOpen) {
    throw new InvalidArgumentError(
      'This client is not open: it was closed, or connect() was not called yet. Give one that is; idem never closes it.',
    )
  }
}

function shape(value: unknown): Partial<Record<string, unknown>> {
  return Object(value)
}
