import { InvalidArgumentError } from '@idem/core'

/** What `pipeline()` of ioredis gives. */
export interface IoredisPipeline {
  callBuffer(command: string, ...args: (string | Buffer)[]): IoredisPipeline
  exec(): Promise<[error: Error | null, reply: unknown][] | null>
}

/** The part of an ioredis `Redis` that is used, told by its shape: any copy and any version from 5.3 fits. */
export interface IoredisClient {
  readonly status: string
  readonly isCluster?: boolean | undefined
  /** Its socket, while there is one. */
  readonly stream?: { cork(): void; uncork(): void } | undefined
  readonly options: {
    readonly keyPrefix?: string | undefined
    readonly enableAutoPipelining?: boolean | undefined
  }
  callBuffer(command: string, ...args: (string | Buffer)[]): Promise<unknown>
  pipeline(): IoredisPipeline
  connect(): Promise<unknown>
  duplicate(override: { autoResubscribe: boolean }): IoredisClient
  disconnect(): void
  ssubscribe(channel: string): Promise<unknown>
  sunsubscribe(channel: string): Promise<unknown>
  on(event: 'smessageBuffer', listener: (channel: Buffer, message: Buffer) => void): this
  on(event: 'ready' | 'close' | 'end' | 'error', listener: (error: unknown) => void): this
  off(event: 'ready' | 'close' | 'end', listener: () => void): this
}

/** @throws InvalidArgumentError for what cannot be a store's client, and says what to do instead. */
export function assertUsable(client: IoredisClient): void {
  if (typeof client?.callBuffer !== 'function' || typeof client.duplicate !== 'function') {
    throw new InvalidArgumentError('ioredisStore takes a client of ioredis: ioredisStore(new Redis(url)).')
  }
  if (client.isCluster) {
    throw new InvalidArgumentError('This is a Cluster: use redisClusterStore(client) of @idem/redis-cluster.')
  }
  if (client.options.keyPrefix) {
    // The client renames keys, but not the channels that Lua publishes on.
    throw new InvalidArgumentError(
      'A client with keyPrefix cannot be used. Give a client without one, and ioredisStore(client, { prefix }).',
    )
  }
  if (client.status === 'end') {
    throw new InvalidArgumentError('This client was closed. Give one that is open; idem never closes it.')
  }
}
