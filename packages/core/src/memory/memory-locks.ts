import type { Claim } from '../store/store.js'

interface Lock extends Claim {
  readonly expiresAt: number
  /** Set by forget: no completion is stored while it stands. */
  readonly void: boolean
}

/** Locks with their leases. A lapsed one goes when its key is next used. */
export class MemoryLocks {
  readonly #locks = new Map<string, Lock>()

  get(key: string): Lock | undefined {
    const lock = this.#locks.get(key)
    if (lock === undefined || lock.expiresAt > performance.now()) return lock
    this.#locks.delete(key)
    return undefined
  }

  hold(key: string, { owner, fingerprint }: Claim, leaseMs: number, isVoid = false): void {
    this.#locks.set(key, { owner, fingerprint, expiresAt: performance.now() + leaseMs, void: isVoid })
  }

  makeVoid(key: string, lock: Lock): void {
    this.#locks.set(key, { ...lock, void: true })
  }

  delete(key: string): void {
    this.#locks.delete(key)
  }

  clear(): void {
    this.#locks.clear()
  }
}
