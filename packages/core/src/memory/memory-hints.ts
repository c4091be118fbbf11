import type { Hint, Watch } from '../store/store.js'

/** Hints inside one process, each sent in a turn of the event loop of its own. */
export class MemoryHints {
  readonly #listeners = new Map<string, Set<(hint: Hint) => void>>()

  watch(key: string, listener: (hint: Hint) => void): Watch {
    const listeners = this.#listeners.get(key) ?? new Set()
    // A listener of its own each time, so that one function may watch twice.
    const heard = (hint: Hint) => listener(hint)
    this.#listeners.set(key, listeners.add(heard))
    return {
      ready: Promise.resolve(),
      stop: () => {
        listeners.delete(heard)
        if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key)
      },
    }
  }

  tell(key: string, hint: Hint): void {
    for (const listener of this.#listeners.get(key) ?? []) queueMicrotask(() => listener(hint))
  }

  clear(): void {
    this.#listeners.clear()
  }
}
