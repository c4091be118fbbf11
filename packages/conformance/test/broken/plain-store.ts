import type {
  AcquireOptions,
  Claim,
  Completed,
  Found,
  Hint,
  Renewed,
  Store,
  StoredRecord,
  Watch,
} from '@idem/core'

export interface Lock extends Claim {
  readonly kind: 'lock'
  readonly expiresAt: number
}

export interface Entry extends StoredRecord {
  readonly kind: 'record'
  readonly expiresAt: number
}

export interface Ending {
  readonly bytes: Uint8Array
  readonly expiresAt: number
}

export type Listener = (hint: Hint) => void

/** What several handles of one plain store share. */
export class Shared {
  readonly entries = new Map<string, Lock | Entry>()
  readonly endings = new Map<string, Ending>()
  readonly listeners = new Map<string, Set<Listener>>()
}

/**
 * A store as plain as can be, and right: one map, one entry a key. The broken stores are this one with one mistake
 * each; it passes the kit itself, so that what they fail is due to the mistake.
 */
export class PlainStore implements Store {
  protected readonly shared: Shared

  constructor(shared = new Shared()) {
    this.shared = shared
  }

  async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    { replacing }: AcquireOptions = {},
  ): Promise<Found> {
    const there = this.at(key)
    if (there?.kind === 'lock') return { state: 'locked', owner: there.owner, fingerprint: there.fingerprint }
    if (there && !(replacing && this.same(there.bytes, replacing))) {
      return { state: 'completed', record: this.read(there, claim) }
    }
    this.lock(key, claim, leaseMs)
    return { state: 'acquired' }
  }

  async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    const there = this.at(key)
    if (there?.kind === 'record') return 'completed'
    if (there && there.owner !== claim.owner) return 'lost'
    this.lock(key, claim, leaseMs)
    return there ? 'held' : 'retaken'
  }

  async complete(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const there = this.at(key)
    if (there && there.fingerprint !== claim.fingerprint) return { state: 'refused' }
    if (there?.kind === 'record') return { state: 'standing', record: this.read(there, claim) }
    this.write(key, claim, bytes, ttlMs)
    return { state: 'stored' }
  }

  async release(key: string, owner: string): Promise<boolean> {
    const there = this.at(key)
    if (there?.kind !== 'lock' || there.owner !== owner) return false
    this.shared.entries.delete(key)
    this.hint(key, { type: 'ended', owner })
    return true
  }

  async end(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    this.shared.endings.set(`${key} ${owner}`, { bytes: this.keep(ending), expiresAt: this.now() + ms })
  }

  async ending(key: string, owner: string): Promise<Uint8Array | undefined> {
    const there = this.shared.endings.get(`${key} ${owner}`)
    return there && there.expiresAt > this.now() ? new Uint8Array(there.bytes) : undefined
  }

  watch(key: string, listener: Listener): Watch {
    const listeners = this.shared.listeners.get(key) ?? new Set()
    this.shared.listeners.set(key, listeners.add(listener))
    return { ready: Promise.resolve(), stop: () => void listeners.delete(listener) }
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {}

  protected now(): number {
    return performance.now()
  }

  /** The live entry of a key. */
  protected at(key: string): Lock | Entry | undefined {
    const there = this.shared.entries.get(key)
    return there && there.expiresAt > this.now() ? there : undefined
  }

  protected lock(key: string, { owner, fingerprint }: Claim, leaseMs: number): void {
    this.shared.entries.set(key, { kind: 'lock', owner, fingerprint, expiresAt: this.now() + leaseMs })
  }

  protected write(key: string, { owner, fingerprint }: Claim, bytes: Uint8Array, ttlMs: number): void {
    const record = { owner, fingerprint, storedAtMs: Date.now(), bytes: this.keep(bytes) }
    this.shared.entries.set(key, { kind: 'record', ...record, expiresAt: this.now() + ttlMs })
    this.hint(key, { type: 'settled', owner })
  }

  /** The record as the one who asks is given it. */
  protected read({ owner, fingerprint, storedAtMs, bytes }: Entry, _asker: Claim): StoredRecord {
    return { owner, fingerprint, storedAtMs, bytes: new Uint8Array(bytes) }
  }

  /** Bytes as they are kept. */
  protected keep(bytes: Uint8Array): Uint8Array {
    return new Uint8Array(bytes)
  }

  protected same(bytes: Uint8Array, others: Uint8Array): boolean {
    return Buffer.compare(bytes, others) === 0
  }

  protected hint(key: string, hint: Hint): void {
    for (const listener of this.shared.listeners.get(key) ?? []) queueMicrotask(() => listener(hint))
  }
}
