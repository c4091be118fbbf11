import type { AcquireOptions, Claim, Completed, Found, Read } from '@idem/core'
import { type Broken, one } from './broken.js'
import { type Entry, isVoid, type Lock, PlainStore } from './plain-store.js'

class SwapsNames extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    return swapped(await super.acquire(key, claim, leaseMs, options))
  }
  override async read(key: string): Promise<Read> {
    return swapped(await super.read(key))
  }
}

function swapped<T extends Found | Read>(found: T): T {
  if (found.state !== 'locked') return found
  return { ...found, owner: found.fingerprint, fingerprint: found.owner }
}

class ReplacingTakesOthers extends PlainStore {
  override acquire(key: string, claim: Claim, leaseMs: number, options?: AcquireOptions): Promise<Found> {
    const there = this.at(key)
    const other = there?.kind === 'record' && there.fingerprint !== claim.fingerprint
    const replacing = options?.replacing && other ? there.bytes : options?.replacing
    return super.acquire(key, claim, leaseMs, replacing && { replacing })
  }
}

class RefusalTells extends PlainStore {
  override async complete(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const there = this.at(key)
    const completed = await super.complete(key, claim, bytes, ttlMs)
    if (completed.state !== 'refused' || there?.kind !== 'record') return completed
    return { ...completed, record: this.give(there, claim) } as Completed
  }
}

class ReplacesOther extends PlainStore {
  protected readonly kind: 'lock' | 'record' = 'lock'
  override async replace(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    const there = this.at(key)
    if (there?.kind !== this.kind || isVoid(there)) return super.replace(key, claim, bytes, ttlMs)
    this.write(key, claim, bytes, ttlMs)
    return true
  }
}

class ReplacesOtherRecord extends ReplacesOther {
  protected override readonly kind = 'record'
}

class OwnersMayChange extends PlainStore {
  protected override refuses(there: Lock | Entry | undefined, claim: Claim): boolean {
    const own = there?.owner === claim.owner && !isVoid(there)
    return !own && super.refuses(there, claim)
  }
}

class FoldsFingerprints extends PlainStore {
  protected override refuses(there: Lock | Entry | undefined, claim: Claim): boolean {
    const same = there?.fingerprint.toLowerCase() === claim.fingerprint.toLowerCase()
    return same && there ? isVoid(there) : super.refuses(there, claim)
  }
}

class RemembersFirst extends PlainStore {
  readonly #first = new Map<string, string>()
  override async complete(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const locked = this.#first.get(key)
    return locked !== undefined && locked !== claim.fingerprint
      ? { state: 'refused' }
      : super.complete(key, claim, bytes, ttlMs)
  }
  protected override lock(...args: Parameters<PlainStore['lock']>): void {
    this.#first.set(args[0], args[1].fingerprint)
    super.lock(...args)
  }
}

class ChecksThenWritesOnce extends PlainStore {
  override async complete(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    if (this.at(key)) return super.complete(key, claim, bytes, ttlMs)
    await new Promise<void>((resolve) => setImmediate(resolve))
    const there = this.at(key)
    if (there?.kind === 'record') return { state: 'standing', record: this.give(there, claim) }
    return super.complete(key, claim, bytes, ttlMs)
  }
}

export const fingerprint: Broken[] = [
  {
    breaks: 'A lock gives its owner and its fingerprint in each other’s place.',
    open: one(new SwapsNames()),
    fails: 'a lock of another fingerprint is reported with the one it has',
    alsoFails: {},
  },
  {
    breaks: '`replacing` replaces any record of another fingerprint.',
    open: one(new ReplacingTakesOthers()),
    fails: 'a record of another fingerprint is reported with the one it has',
    alsoFails: {},
  },
  {
    breaks: 'A refused completion is shown the record of the other request.',
    open: one(new RefusalTells()),
    fails: 'a refused completion is told nothing of the record that stands, and does not wear it down',
    alsoFails: {},
  },
  {
    breaks: 'replace does not look at the fingerprint of a lock.',
    open: one(new ReplacesOther()),
    fails: 'replace does not write over a lock of another fingerprint',
    alsoFails: {},
  },
  {
    breaks: 'replace does not look at the fingerprint of a record.',
    open: one(new ReplacesOtherRecord()),
    fails: 'replace does not write over a record of another fingerprint',
    alsoFails: {},
  },
  {
    breaks: 'What is an owner’s own it may overwrite, whatever the request.',
    open: one(new OwnersMayChange()),
    fails: 'the owner of a lock cannot complete or replace it as another request',
    alsoFails: {},
  },
  {
    breaks: 'Fingerprints are compared without case.',
    open: one(new FoldsFingerprints()),
    fails: 'fingerprints are compared to the letter',
    alsoFails: {},
  },
  {
    breaks: 'A key belongs for good to the request that locked it last.',
    open: one(new RemembersFirst()),
    fails: 'once the lock has lapsed or was released, another request has the key',
    alsoFails: {},
  },
  {
    breaks: 'A completion looks at the fingerprint first and writes once a moment later.',
    open: one(new ChecksThenWritesOnce()),
    fails: 'of two requests that complete at once under one key, one is stored and the other refused',
    alsoFails: {},
  },
]
