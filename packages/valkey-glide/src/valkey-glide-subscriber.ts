import type { RedisDriver } from '@idem/redis-protocol'
import { BYTES, isClosed, type ValkeyGlideClient, type ValkeyGlideSubscriber } from './valkey-glide-client.js'

/** What the client for hints is created with, beside addresses and credentials. */
export interface SubscriberConfig {
  defaultDecoder: typeof BYTES
  pubsubSubscriptions: {
    channelsAndPatterns: Record<never, never>
    callback(message: { channel: string | Buffer; message: string | Buffer }): void
  }
}

export type OpenSubscriber = (config: SubscriberConfig) => Promise<ValkeyGlideSubscriber>

/** As a timeout: GLIDE goes on until it is subscribed, through reconnects and failovers. */
const FOREVER = 0

export function subscriberOf(
  client: ValkeyGlideClient,
  open: OpenSubscriber,
): NonNullable<RedisDriver['subscriber']> {
  return async (onMessage) => {
    const callback: SubscriberConfig['pubsubSubscriptions']['callback'] = ({ channel, message }) => {
      if (Buffer.isBuffer(message)) onMessage(channel.toString(), message)
    }
    const config = {
      defaultDecoder: BYTES,
      pubsubSubscriptions: { channelsAndPatterns: {}, callback },
    } as const
    let opened: Promise<ValkeyGlideSubscriber> | undefined
    const connection = () => {
      opened ??= open(config).catch((error) => {
        opened = undefined // The next call tries again.
        throw error
      })
      return opened
    }
    const close = () => {
      clearInterval(watch)
      opened?.then((one) => one.close()).catch(() => {})
    }
    // If its owner closes the client, this one is closed too: nothing is left that keeps a process alive.
    const watch = setInterval(() => isClosed(client) && close(), 1_000).unref()
    const leaving = new Map<string, Promise<unknown>>()
    return {
      async subscribe(channel) {
        // While an unsubscribe of the channel is on its way, GLIDE takes it for subscribed.
        await leaving.get(channel)
        await (await connection()).ssubscribe([channel], FOREVER)
      },
      async unsubscribe(channel) {
        const left = connection()
          .then((one) => one.sunsubscribe([channel], FOREVER))
          .finally(() => leaving.delete(channel))
        leaving.set(channel, left)
        await left
      },
      // It may take a while to open, which closing the store does not wait for.
      close: async () => close(),
    }
  }
}
