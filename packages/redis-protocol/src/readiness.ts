import { StoreError } from '@idem/core'

/** What is asked of a client to know when it can be sent a command. */
export interface Connecting {
  /**
   * `connecting`: for the first time, or again at once: worth waiting for. `lost`: the last try failed, and the client
   * waits before the next. `closed`: nobody is opening it.
   */
  state(): 'ready' | 'connecting' | 'lost' | 'closed'
  /**
   * Calls `listener` whenever the state may have changed, until the returned function is called. The listener comes
   * and goes: see that taking it off leaves the client's other listeners alone.
   */
  onChange(listener: () => void): () => void
}

const MESSAGES = {
  lost: 'The Redis client has lost its connection.',
  closed: 'The Redis client is closed.',
}

/**
 * The `ready` of a driver, made of a client's state and events. However many commands wait, the client carries one
 * listener of ours at most.
 */
export function readiness(client: Connecting): () => Promise<void> {
  let waiting: Promise<void> | undefined
  return async () => {
    if (client.state() === 'ready') return
    waiting ??= settled(client).finally(() => {
      waiting = undefined
    })
    await waiting
  }
}

function settled(client: Connecting): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const state = client.state()
      if (state === 'connecting') return
      stop()
      if (state === 'ready') resolve()
      else reject(new StoreError(MESSAGES[state], { effect: 'none' }))
    }
    const stop = client.onChange(look)
    look()
  })
}
