import { setMaxListeners } from 'node:events'

/** What goes on after its caller was answered, so that `close()` can wait for it. Rejections are dropped: no caller is left to hear them. */
export class Background {
  readonly #running = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  constructor() {
    // Every commit that waits for another try listens.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Aborted when idem closes: a retry that is waiting then makes its last try at once. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  add(task: Promise<unknown>): void {
    const ended = () => void this.#running.delete(task)
    this.#running.add(task)
    task.then(ended, ended)
  }

  /** Resolves when nothing runs any more, what was added meanwhile included. */
  async drain(): Promise<void> {
    this.#closing.abort()
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
  }
}
