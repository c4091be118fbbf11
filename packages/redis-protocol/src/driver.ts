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
  /** The node that answers for this key, where there are several: each has a circuit breaker of its own. */
  domain?(key: string): string
  /** Resolves once a command would be sent at once; rejects while the client is closed. */
  ready(): Promise<void>
  /**
   * Opens a second connection for sharded subscriptions (SSUBSCRIBE, Redis 7.0), made from the client. Called at the
   * first wait, and again only after it rejected. Returns at once, and waits for the connection in `subscribe`:
   * closing the store waits for this. Subscriptions must survive reconnects. Absent where the client has no sharded
   * subscriptions: waiters then poll alone.
   */
  subscriber?(onMessage: (channel: string, message: Buffer) => void): Promise<RedisSubscriber>
}

export interface RedisSubscriber {
  /** Resolves when messages from now on will arrive. May be called while an `unsubscribe` of it is unanswered. */
  subscribe(channel: string): Promise<void>
  unsubscribe(channel: string): Promise<void>
  /** Closes the connection that was opened for it. */
  close(): Promise<void>
}
