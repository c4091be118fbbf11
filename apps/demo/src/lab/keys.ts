import type { Read } from '@idem/core/store'
import { now } from '../shared/clock.js'
import type { KeyRow } from '../shared/rows.js'
import type { StoreNews } from '../shared/worker-events.js'

/** How many keys are remembered, the newest. */
const KEPT = 30

interface Heard {
  readonly worker: number
  readonly request: number | undefined
  readonly at: number
  readonly ttlMs?: number
}

/** Which keys the workers have used, and what stands under them now, which the store alone knows. */
export class Keys {
  /** By key, and in it by owner. */
  readonly #heard = new Map<string, Map<string, Heard>>()
  readonly #waiting = new Map<string, Set<number>>()
  readonly #read: (key: string) => Promise<Read>
  readonly #leaseMs: number

  constructor(read: (key: string) => Promise<Read>, leaseMs: number) {
    this.#read = read
    this.#leaseMs = leaseMs
  }

  heard({ key, owner, state, request, at, ttlMs }: StoreNews, worker: number): void {
    if (state === 'waits') {
      this.#waiting.set(key, (this.#waiting.get(key) ?? new Set()).add(worker))
      return
    }
    const owners = this.#heard.get(key) ?? new Map<string, Heard>()
    this.#heard.delete(key)
    this.#heard.set(key, owners.set(owner, { worker, request, at, ...(ttlMs !== undefined && { ttlMs }) }))
    const [oldest = ''] = this.#heard.keys()
    if (this.#heard.size <= KEPT) return
    this.#heard.delete(oldest)
    this.#waiting.delete(oldest)
  }

  /** How many workers have found a key locked by another one. */
  waiting(key: string): number {
    return this.#waiting.get(key)?.size ?? 0
  }

  /** The key that was locked for this request. */
  lockedFor(request: number): string | undefined {
    return [...this.#heard].find(([, owners]) =>
      [...owners.values()].some((one) => one.request === request),
    )?.[0]
  }

  /** What is locked or stored now, the newest first. Rejects when the store cannot be reached. */
  async rows(): Promise<KeyRow[]> {
    const keys = [...this.#heard.keys()].reverse()
    const found = await Promise.all(keys.map(async (key) => ({ key, read: await this.#read(key) })))
    return found.flatMap(({ key, read }) => this.#row(key, read))
  }

  #row(digest: string, read: Read): KeyRow[] {
    if (read.state === 'absent') return []
    if (read.state === 'locked') {
      const { owner } = read
      const heard = this.#heard.get(digest)?.get(owner)
      const ageMs = now() - (heard?.at ?? now())
      return [{ digest, state: 'locked', owner, ageMs, ttlMs: this.#leaseMs, ...workerOf(heard) }]
    }
    const { owner, storedAtMs, bytes } = read.record
    const heard = this.#heard.get(digest)?.get(owner)
    const ageMs = Math.max(0, Date.now() - storedAtMs)
    const left = heard?.ttlMs === undefined ? {} : { ttlMs: Math.max(0, heard.ttlMs - ageMs) }
    return [{ digest, state: 'stored', owner, ageMs, bytes: bytes.byteLength, ...left, ...workerOf(heard) }]
  }
}

function workerOf(heard: Heard | undefined) {
  return heard && { worker: heard.worker }
}
