import type { StoreError } from '@idem/core'

type Listener = (topic: string, message: string) => void

/** Problems that the store works around: its user may listen. */
export class Notices {
  readonly #listeners = new Set<Listener>()

  /** @returns a function that ends it */
  on(listener: Listener): () => void {
    // A listener of its own each time, so that one function may listen twice.
    const heard: Listener = (topic, message) => listener(topic, message)
    this.#listeners.add(heard)
    return () => void this.#listeners.delete(heard)
  }

  /** A command that the server refuses and the store can do without. */
  tell({ refused, message }: StoreError): void {
    if (refused !== undefined) this.tellOf(`refused-${refused}`, message)
  }

  tellOf(topic: string, message: string): void {
    for (const listener of this.#listeners) listener(topic, message)
  }
}
