import { InvalidArgumentError } from '@idem/core'

/** `Decoder.Bytes` of GLIDE. */
export const BYTES = 0

/** The part of a `GlideClient` or `GlideClusterClient` that is used, told by its shape. */
export interface ValkeyGlideClient {
  customCommand(
    command: (string | Buffer)[],
    options: { decoder: typeof BYTES; route?: { type: 'primarySlotKey'; key: string } },
  ): Promise<unknown>
  close(): void
}

/** The part of a `GlideClusterClient` that is used for hints. */
export interface ValkeyGlideSubscriber {
  ssubscribe(channels: string[], timeoutMs: number): Promise<unknown>
  sunsubscribe(channels: string[], timeoutMs: number): Promise<unknown>
  close(): void
}

/** Only a client of a cluster has sharded subscriptions. */
export function isCluster(client: ValkeyGlideClient): boolean {
  return 'ssubscribe' in client
}

/** GLIDE has no event for a client that is closed. */
export function isClosed(client: ValkeyGlideClient): boolean {
  return (client as { isClosed?: unknown }).isClosed === true
}

/** @throws InvalidArgumentError for what cannot be a store's client, and says what to do instead. */
export function assertUsable(client: ValkeyGlideClient, subscriber: unknown): void {
  const it: Partial<Record<string, unknown>> = Object(client)
  if (it.isCluster || it.slots) {
    throw new InvalidArgumentError(
      'This is another cluster client: use redisClusterStore(client) of @idem/redis-cluster.',
    )
  }
  if (it.callBuffer) {
    throw new InvalidArgumentError('This is a client of ioredis: use ioredisStore(client) of @idem/ioredis.')
  }
  if (it.sendCommand) {
    throw new InvalidArgumentError(
      'This is a client of node-redis: use nodeRedisStore(client) of @idem/node-redis.',
    )
  }
  if (typeof it.customCommand !== 'function') {
    throw new InvalidArgumentError(
      'valkeyGlideStore takes a client of valkey-glide: valkeyGlideStore(await GlideClient.createClient({ addresses })).',
    )
  }
  if (isClosed(client)) {
    throw new InvalidArgumentError('This client was closed. Give one that is open; idem never closes it.')
  }
  if (subscriber === undefined) return
  if (typeof subscriber !== 'function') {
    throw new InvalidArgumentError(
      'subscriber must be a function: (config) => GlideClusterClient.createClient({ addresses, ...config }).',
    )
  }
  if (!isCluster(client)) {
    throw new InvalidArgumentError(
      'There is no subscriber for a GlideClient: GLIDE has sharded subscriptions on a cluster only. Leave it out.',
    )
  }
}
