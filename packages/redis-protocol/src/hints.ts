import { isIdemError, StoreError } from '@idem/core'
import type { Hint, Watch } from '@idem/core/store'
import type { RedisDriver, RedisSubscriber } from './driver.js'

interface Channel {
  readonly listeners: Set<(hint: Hint) => void>
  readonly ready: Promise<void>
  /** Rejects `ready` while it is pending: a subscription under way may never be answered. */
  giveUp(): void
}

export interface HintsOptions {
  /** Makes a StoreError of the client's error, for the command that was sent. */
  readonly toError: (error: unknown, command: string, channel: string) => StoreError
  /** Is told of a refusal that no caller waits for. */
  readonly onRefused: (error: StoreError) => void
}

/** Hints over sharded pub/sub: one connection for the store, opened at the first watch; one subscription a channel. */
export class Hints {
  readonly #open: NonNullable<RedisDriver['subscriber']>
  readonly #options: HintsOptions
  readonly #channels = new Map<string, Channel>()
  #subscriber: Promise<RedisSubscriber> | undefined

  constructor(open: NonNullable<RedisDriver['subscriber']>, options: HintsOptions) {
    this.#open = open
    this.#options = options
  }

  watch(channel: string, listener: (hint: Hint) => void): Watch {
    const opened = this.#channels.get(channel) ?? this.#subscribe(channel)
    // A listener of its own each time, so that one function may watch twice.
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
        .then(resolve, (error) => reject(this.#failed(error, 'SSUBSCRIBE', channel)))
    })
    // Callers that await `ready` are told; awaiting it is optional.
    ready.catch(() => {})
    const opened: Channel = { listeners: new Set(), ready, giveUp }
    this.#channels.set(channel, opened)
    return opened
  }

  #unsubscribe(channel: string, { ready }: Channel): void {
    this.#channels.delete(channel)
    ready
      // Unsubscribe only what was subscribed, and only if nobody watches it again by now.
      .then(async () => {
        if (!this.#channels.has(channel)) await (await this.#subscriber)?.unsubscribe(channel)
      })
      .catch((error) => {
        const failed = this.#failed(error, 'SUNSUBSCRIBE', channel)
        // A channel that could not be subscribed was reported when that failed.
        if (failed.refused === 'SUNSUBSCRIBE') this.#options.onRefused(failed)
      })
  }

  #failed(error: unknown, command: string, channel: string): StoreError {
    return isIdemError(error) ? (error as StoreError) : this.#options.toError(error, command, channel)
  }

  #connection(): Promise<RedisSubscriber> {
    this.#subscriber ??= this.#open(
      (channel, message) => this.#hear(channel, message),
      () => this.#miss(),
    ).catch((error) => {
      this.#subscriber = undefined
      throw error
    })
    return this.#subscriber
  }

  #miss(): void {
    for (const { listeners } of this.#channels.values())
      for (const tell of listeners) tell({ type: 'missed' })
  }

  #hear(channel: string, message: Buffer): void {
    const hint = readHint(message)
    for (const listener of (hint && this.#channels.get(channel)?.listeners) ?? []) listener(hint!)
  }
}

/** `settled <owner>`, `ended <owner>`, `held <owner>`, or `live <owner> <offset>\n<bytes>`. Any other message is passed over. */
function readHint(message: Buffer): Hint | undefined {
  const end = message.indexOf('\n')
  const [type, owner, offset] = message.toString('latin1', 0, end < 0 ? undefined : end).split(' ')
  if (owner === undefined) return undefined
  if (type === 'settled' || type === 'ended' || type === 'held') return { type, owner }
  if (type !== 'live' || end < 0) return undefined
  const bytes = message.subarray(end + 1)
  return { type, owner, offset: Number(offset), ...(bytes.byteLength > 0 && { bytes }) }
}
