import type {
  AcquireOptions,
  Claim,
  Completed,
  CompleteOptions,
  Found,
  Hint,
  Read,
  Renewed,
  Store,
  StoredRecord,
  Watch,
} from '@idem/core/store'

/** Whose a lock is. */
export interface Holder extends Claim {
  /** Forgotten: no completion is stored over it. */
  readonly void?: boolean
}

export interface Lock extends Holder {
  readonly kind: 'lock'
  readonly expiresAt: number
}

export interface Entry extends StoredRecord {
  readonly kind: 'record'
  readonly expiresAt: number
}

/** A note or a live log. */
export interface Kept {
  readonly bytes: Uint8Array
  readonly expiresAt: number
}

/** A board: what was reported, by name. */
export interface Board {
  readonly reports: ReadonlyMap<string, Uint8Array>
  readonly expiresAt: number
}

export type Listener = (hint: Hint) => void

/** What several handles of one plain store share. */
export class Shared {
  readonly entries = new Map<string, Lock | Entry>()
  readonly notes = new Map<string, Kept>()
  readonly logs = new Map<string, Kept>()
  readonly boards = new Map<string, Board>()
  readonly listeners = new Map<string, Set<Listener>>()
}

/**
 * A store as plain as can be, and right: one map, one entry a key. The broken stores are this one with one mistake
 * each; it passes the kit itself, so that what they fail is due to the mistake.
 */
export class PlainStore implements Store {
  readonly specVersion = 1
  protected readonly shared: Shared
  readonly #stops = new Set<() => void>()

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
      return { state: 'completed', record: this.give(there, claim) }
    }
    this.lock(key, claim, leaseMs)
    return { state: 'acquired' }
  }

  async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    const there = this.at(key)
    if (there?.kind === 'record') return 'completed'
    if (there && there.owner !== claim.owner) return 'lost'
    this.lock(key, { ...claim, void: isVoid(there) }, leaseMs)
    this.hint(key, { type: 'held', owner: claim.owner })
    return there ? 'held' : 'retaken'
  }

  async complete(
    key: string,
    claim: Claim,
    bytes: Uint8Array,
    ttlMs: number,
    { over = false }: CompleteOptions = {},
  ): Promise<Completed> {
    if (!over) return this.once(key, claim, bytes, ttlMs)
    return { state: (await this.over(key, claim, bytes, ttlMs)) ? 'stored' : 'refused' }
  }

  /** The one half of `complete`: writes the first record. */
  async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const there = this.at(key)
    if (this.refuses(there, claim)) return { state: 'refused' }
    if (there?.kind === 'record') return { state: 'standing', record: this.give(there, claim) }
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

  async read(key: string): Promise<Read> {
    const there = this.at(key)
    if (there?.kind === 'record') return { state: 'completed', record: this.give(there) }
    return there
      ? { state: 'locked', owner: there.owner, fingerprint: there.fingerprint }
      : { state: 'absent' }
  }

  /** The other half: writes over the one that stands. @returns whether it was written */
  async over(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    if (this.refuses(this.at(key), claim)) return false
    this.write(key, claim, bytes, ttlMs)
    return true
  }

  async forget(key: string): Promise<boolean> {
    const there = this.at(key)
    if (there?.kind === 'lock') this.shared.entries.set(key, { ...there, void: true })
    else this.shared.entries.delete(key)
    return there !== undefined
  }

  async leaveNote(key: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    this.shared.notes.set(`${key} ${name}`, { bytes: this.keep(bytes), expiresAt: this.now() + ms })
  }

  async readNote(key: string, name: string): Promise<Uint8Array | undefined> {
    const there = this.shared.notes.get(`${key} ${name}`)
    return there && there.expiresAt > this.now() ? new Uint8Array(there.bytes) : undefined
  }

  async append(key: string, owner: string, offset: number, bytes: Uint8Array, ms: number): Promise<number> {
    const log = this.log(key, owner) ?? new Uint8Array()
    const end = offset + bytes.byteLength
    if (log.byteLength !== offset) {
      const again = end <= log.byteLength && Buffer.compare(log.subarray(offset, end), bytes) === 0
      return again ? end : log.byteLength
    }
    this.extend(key, owner, Buffer.concat([log, this.keep(bytes)]), ms)
    this.hint(key, { type: 'live', owner, offset, bytes: new Uint8Array(bytes) })
    return end
  }

  async tail(key: string, owner: string, from: number): Promise<Uint8Array | undefined> {
    const log = this.log(key, owner)
    return log && new Uint8Array(log.subarray(from))
  }

  async report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    this.post(board, new Map(this.board(board)).set(name, new Uint8Array(bytes)), ms)
  }

  async reports(board: string): Promise<Uint8Array[]> {
    return [...(this.board(board)?.values() ?? [])].map((report) => new Uint8Array(report))
  }

  watch(key: string, listener: Listener): Watch {
    const listeners = this.shared.listeners.get(key) ?? new Set()
    this.shared.listeners.set(key, listeners.add(listener))
    const stop = () => void listeners.delete(listener)
    this.#stops.add(stop)
    return { ready: Promise.resolve(), stop }
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {
    for (const stop of this.#stops) stop()
  }

  protected now(): number {
    return performance.now()
  }

  /** The live entry of a key. */
  protected at(key: string): Lock | Entry | undefined {
    const there = this.shared.entries.get(key)
    return there && there.expiresAt > this.now() ? there : undefined
  }

  protected lock(key: string, { owner, fingerprint, void: isVoid }: Holder, leaseMs: number): void {
    const expiresAt = this.now() + leaseMs
    this.shared.entries.set(key, { kind: 'lock', owner, fingerprint, void: isVoid, expiresAt })
  }

  /** Whether what stands must not be overwritten by a record of this claim. */
  protected refuses(there: Lock | Entry | undefined, { fingerprint }: Claim): boolean {
    return there !== undefined && (isVoid(there) || there.fingerprint !== fingerprint)
  }

  protected write(key: string, { owner, fingerprint }: Claim, bytes: Uint8Array, ttlMs: number): void {
    const record = { owner, fingerprint, storedAtMs: Date.now(), bytes: this.keep(bytes) }
    this.shared.entries.set(key, { kind: 'record', ...record, expiresAt: this.now() + ttlMs })
    this.hint(key, { type: 'settled', owner })
  }

  /** The live log of one execution. */
  protected log(key: string, owner: string): Uint8Array | undefined {
    const there = this.shared.logs.get(`${key} ${owner}`)
    return there && there.expiresAt > this.now() ? there.bytes : undefined
  }

  protected extend(key: string, owner: string, bytes: Uint8Array, ms: number): void {
    this.shared.logs.set(`${key} ${owner}`, { bytes, expiresAt: this.now() + ms })
  }

  /** What is on a board. */
  protected board(board: string): ReadonlyMap<string, Uint8Array> | undefined {
    const there = this.shared.boards.get(board)
    return there && there.expiresAt > this.now() ? there.reports : undefined
  }

  protected post(board: string, reports: ReadonlyMap<string, Uint8Array>, ms: number): void {
    this.shared.boards.set(board, { reports, expiresAt: this.now() + ms })
  }

  /** The record as the one who asks is given it. */
  protected give({ owner, fingerprint, storedAtMs, bytes }: Entry, _asker?: Claim): StoredRecord {
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

export function isVoid(there: Lock | Entry | undefined): boolean {
  return there?.kind === 'lock' && there.void === true
}
