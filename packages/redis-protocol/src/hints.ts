import { type Hint, StoreError, type Watch } from '@idem/core'
import type { RedisDriver, RedisSubscriber } from './driver.js'

interface Channel {
  readonly listeners: Set<(hint: Hint) => void>
  readonly ready: Promise<void>
  /** Rejects `ready`, if it is open: a subscription under way may never be answered. */
  giveUp(): void
}

/** Hints over sharded pub/sub: one connection for the store, opened at the first watch; one subscription a channel. */
export class Hints {
  readonly #open: NonNullable<RedisDriver['subscriber']>
  readonly #channels = new Map<string, Channel>()
  #subscriber: Promise<RedisSubscriber> | undefined

  constructor(open: NonNullable<RedisDriver['subscriber']>) {
    this.#open = open
  }

  watch(channel: string, listener: (hint: Hint) => void): Watch {
    const opened = this.#channels.get(channel) ?? this.#subscribe(channel)
    // A listener of its own, so that one function may watch twice.
    const heard = (hint: Hint) => listener(hint)
    opened.listeners.add(heard)
    return {
      ready: opened.ready,
      stop: () => {
        if (opened.listeners.delete(heard) && opened.listeners.size === 0) this.#unsubscribe(channel, opened)
      },
    }
  }

  async close(): Promise<void> {
    for (const channel of this.#channels.values()) channel.giveUp()
    this.#channels.clear()
    const subscriber = await this.#subscriber?.catch(() => undefined)
    this.#subscriber = undefined
    await subscriber?.close()
  }

  #subscribe(channel: string): Channel {
    let giveUp = () => {}
    const ready = new Promise<void>((resolve, reject) => {
      giveUp = () => reject(new StoreError('The store was closed.', { effect: 'none' }))
      this.#connection()
        .then((subscriber) => subscriber.subscribe(channel))
        .then(resolve, reject)
    })
    // Whoever awaits `ready` is told; nobody has to.
    ready.catch(() => {})
    const opened: Channel = { listeners: new Set(), ready, giveUp }
    this.#channels.set(channel, opened)
    return opened
  }

  #unsubscribe(channel: string, { ready }: Channel): void {
    this.#channels.delete(channel)
    ready
      // Only what has been subscribed can be unsubscribed; and if it is watched again by then, it is needed.
      .then(async () => {
        if (!this.#channels.has(channel)) await (await this.#subscriber)?.unsubscribe(channel)
      })
      .catch(() => {})
  }

  #connection(): Promise<RedisSubscriber> {
    this.#subscriber ??= this.#open((channel, message) => this.#hear(channel, message)).catch((error) => {
      this.#subscriber = undefined
      throw error
    })
    return this.#subscriber
  }

  #hear(channel: string, message: Buffer): void {
    const hint = readHint(message)
    for (const listener of (hint && this.#channels.get(channel)?.listeners) ?? []) listener(hint!)
  }
}

/** `settled <owner>`, `ended <owner>`, or `live <owner> <offset>\n<bytes>`. Others are not for us. */
function readHint(message: Buffer): Hint | undefined {
  const end = message.indexOf('\n')
  const [type, owner, offset] = message.toString('latin1', 0, end < 0 ? undefined : end).split(' ')
  if (owner === undefined) return undefined
  if (type === 'settled' || type === 'ended') return { type, owner }
  if (type !== 'live' || end < 0) return undefined
  const bytes = message.subarray(end + 1)
  return { type, owner, offset: Number(offset), ...(bytes.byteLength > 0 && { bytes }) }
}
