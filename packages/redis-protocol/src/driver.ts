/**
 * What the protocol needs of a Redis client; the whole of an adapter. No logic lives in a driver: no Lua, no key names,
 * no decoding.
 */
export interface RedisDriver {
  /**
   * Sends one command and gives its reply, bulk strings as Buffers. Rejects with the client's own error. `key` is the
   * one key the command touches, for clients that route by it.
   */
  send(key: string, command: readonly (string | Buffer)[]): Promise<unknown>
  /** The name of the node that answers for this key, where there are several: each connects and fails by itself. */
  domain?(key: string): string
  /**
   * Resolves once a command for this key (or any) would be sent at once; rejects while it could not be. Undefined where
   * it would be sent now.
   */
  ready(key?: string): Promise<void> | undefined
  /**
   * Opens a second connection for sharded subscriptions (SSUBSCRIBE, Redis 7.0), made from the client. Called at the
   * first wait, and again only after it rejected. Returns at once, and waits for the connection in `subscribe`:
   * closing the store waits for this. Subscriptions must survive reconnects. Absent where the client has no sharded
   * subscriptions: waiters then poll alone.
   *
   * `onMissed` is to be called when the connection breaks: messages may be missed until it is back. Where the client does
   * not say so, waiters find out within half a lease.
   */
  subscriber?(
    onMessage: (channel: string, message: Buffer) => void,
    onMissed: () => void,
  ): Promise<RedisSubscriber>
}

export interface RedisSubscriber {
  /**
   * Resolves when messages from now on will arrive. May be called while an `unsubscribe` of the same channel is not
   * answered yet.
   */
  subscribe(channel: string): Promise<void>
  unsubscribe(channel: string): Promise<void>
  /** Closes the connection that `subscriber` opened. */
  close(): Promise<void>
}
