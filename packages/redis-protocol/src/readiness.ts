import { StoreError } from '@idem/core'
import { cleanCause } from '@idem/core/store'

/** What is read from a client to know when a command can be sent. */
export interface Connecting {
  /**
   * `connecting`: for the first time, or after a loss while no new try has failed: worth waiting for. `lost`: the last
   * try failed, and the client tries again. `closed`: the client does not try to connect.
   */
  state(): 'ready' | 'connecting' | 'lost' | 'closed'
  /** The last error the client reported, while it is not ready. */
  lastError?(): unknown
  /**
   * Calls `listener` whenever the state may have changed, until the returned function is called. The listener comes
   * and goes: see that taking it off leaves the client's other listeners alone.
   */
  onChange(listener: () => void): () => void
}

/**
 * The `ready` of a driver, made of a client's state and events. However many commands wait, the client carries one
 * listener of ours at most.
 */
export function readiness(client: Connecting): () => Promise<void> | undefined {
  let waiting: Promise<void> | undefined
  return () => {
    if (client.state() === 'ready') return undefined
    waiting ??= settled(client).finally(() => {
      waiting = undefined
    })
    return waiting
  }
}

function settled(client: Connecting): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const state = client.state()
      if (state === 'connecting') return
      stop()
      if (state === 'ready') resolve()
      else reject(notReady(state, client.lastError?.()))
    }
    const stop = client.onChange(look)
    look()
  })
}

/** The error that `ready` rejects with. */
export function notReady(state: 'lost' | 'closed', lastError: unknown): StoreError {
  const cause = cleanCause(lastError)
  const why = cause ? `: ${cause.message}` : '.'
  return state === 'lost'
    ? new StoreError(`The Redis client is not connected${why}`, { effect: 'none', cause })
    : new StoreError(`The Redis client is closed${why}`, { effect: 'none', refused: 'closed', cause })
}

const known = new WeakMap<object, Tries>()

/**
 * The tries of a client to connect, counted by its events. One for each client, however many stores it has.
 *
 * @param isReady whether the client is connected now
 * @param listen adds the listeners, which stay; called once for each client
 */
export function triesOf(client: object, isReady: boolean, listen: (tries: Tries) => void): Tries {
  const tries = known.get(client) ?? new Tries(isReady)
  if (!known.has(client)) {
    known.set(client, tries)
    listen(tries)
  }
  return tries
}

/** What a client's events say of its tries to connect. */
export class Tries {
  #isTrying: boolean
  #hasFailed = false
  #lastError: unknown

  constructor(isReady: boolean) {
    this.#isTrying = !isReady
  }

  /** Whether a try to connect has failed since the client was last connected. */
  get haveFailed(): boolean {
    return this.#hasFailed
  }

  get lastError(): unknown {
    return this.#lastError
  }

  readonly succeeded = (): void => {
    this.#isTrying = false
    this.#hasFailed = false
    this.#lastError = undefined
  }

  /** The connection ended, or a try to open it failed. */
  readonly ended = (): void => {
    this.#hasFailed ||= this.#isTrying
    this.#isTrying = true
  }

  readonly erred = (error: unknown): void => {
    this.#lastError = error
  }
}
