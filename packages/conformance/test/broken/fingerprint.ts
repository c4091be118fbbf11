import type { AcquireOptions, Claim, Completed, Found, Read } from '@idem/core/store'
import { type Broken, because, one } from './broken.js'
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
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const there = this.at(key)
    const completed = await super.once(key, claim, bytes, ttlMs)
    if (completed.state !== 'refused' || there?.kind !== 'record') return completed
    return { ...completed, record: this.give(there, claim) } as Completed
  }
}

class ReplacesOther extends PlainStore {
  protected readonly kind: 'lock' | 'record' = 'lock'
  override async over(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    const there = this.at(key)
    if (there?.kind !== this.kind || isVoid(there)) return super.over(key, claim, bytes, ttlMs)
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
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const locked = this.#first.get(key)
    return locked !== undefined && locked !== claim.fingerprint
      ? { state: 'refused' }
      : super.once(key, claim, bytes, ttlMs)
  }
  protected override lock(...args: Parameters<PlainStore['lock']>): void {
    this.#first.set(args[0], args[1].fingerprint)
    super.lock(...args)
  }
}

class ChecksThenWritesOnce extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    if (this.at(key)) return super.once(key, claim, bytes, ttlMs)
    await new Promise<void>((resolve) => setImmediate(resolve))
    const there = this.at(key)
    if (there?.kind === 'record') return { state: 'standing', record: this.give(there, claim) }
    return super.once(key, claim, bytes, ttlMs)
  }
}

export const fingerprint: Broken[] = [
  {
    breaks: 'A lock gives its owner and its fingerprint in each other’s place.',
    open: one(new SwapsNames()),
    fails: 'a lock of another fingerprint is reported with the one it has',
    alsoFails: because(
      'it looks whose lock it is',
      '`-` and `_` at the ends of a key belong to it',
      'a completion is refused over a lock of another fingerprint, and changes nothing',
      'a completion over a void lock is refused, in another process too, and the lock stays',
      'a completion that never arrived is stored later, before another makes the call again',
      'a contended acquire is an answer: the owner and the fingerprint that hold the lock',
      'a contended acquire neither lengthens nor shortens the lease it met',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a lock is held for its lease and lapses after it',
      'a lock taken in one process is met in another',
      'a lock that is forgotten is still its owner’s: it is reported, renewed and met by others',
      'a lock that is read lapses when it would have',
      'a locked key reads as locked, with owner and fingerprint',
      'a log needs no lock and changes neither lock nor record',
      'a record that gave way to a lock does not come back when the lock lapses',
      'a release that never arrived: waiters are told how it ended, and do not make the call again',
      'a renewed lease is not taken before the renewal lapses',
      'a report leaves the key of its board’s name alone: lock, record, ending and log',
      'a stale owner cannot complete over the void lock of its successor, nor can the successor',
      'a stale owner cannot release the lock of its successor',
      'a stale owner cannot renew the lock of its successor, and is told that it is lost',
      'a storm with every kind of fault: each call gets the answer of its own request',
      'a void lock can be forgotten again and stays void',
      'an ending changes neither lock nor record',
      'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer',
      'an owner that asks twice is told that the lock is its own, and the lease stays as it was',
      'an owner whose void lock is met again is told that it is its own',
      'every character of base64url is one of its own',
      'fingerprints are compared to the letter',
      'forget leaves the rest of the lease as it was, neither longer nor shorter',
      'hints are doubled: they wake, and change nothing',
      'hints are lost: waiters find the answer by looking, and do not make the call',
      'keys that differ in one letter, its case or its length are different keys',
      'names of one letter and of sixty-four are kept whole',
      'nothing goes wrong: duplicates in two processes cost one execution, and later ones none',
      'of fifty acquires at once one gets the lock, and the others are told whose it is',
      'owners are compared to the letter',
      'renew takes a lapsed lock back for its owner while nobody else has it',
      'renew takes an absent key back for its owner, and says so',
      'renew tells the holder that it holds the lock',
      'renewals whose replies are lost hold the lock',
      'replace does not write over a lock of another fingerprint',
      'replace does not write over a void lock',
      'the owner of a lock cannot complete or replace it as another request',
      'the reply to a completion is lost: the answer stands, also when it is sent once more',
      'the reply to an acquire is lost: the lock is found to be one’s own, and one execution is made',
      'the successor is the owner reported from then on',
      'what one process writes is read in another',
      'an owner that never held the lock can neither release nor renew it',
      'with `replacing`, a lock is not taken from its owner',
      'with `replacing`, a record of exactly those bytes gives way to a lock',
      'with `replacing`, a void lock is not taken from its owner',
      'with `replacing`, an absent key is locked like any other',
    ),
  },
  {
    breaks: '`replacing` replaces any record of another fingerprint.',
    open: one(new ReplacingTakesOthers()),
    fails: 'a record of another fingerprint is reported with the one it has',
    alsoFails: because(
      'it gives bytes to replace that are not those of the record',
      'with `replacing`, a record of any other bytes stays',
    ),
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
    alsoFails: because(
      'it replaces a lock of another fingerprint',
      'fingerprints are compared to the letter',
      'the owner of a lock cannot complete or replace it as another request',
    ),
  },
  {
    breaks: 'replace does not look at the fingerprint of a record.',
    open: one(new ReplacesOtherRecord()),
    fails: 'replace does not write over a record of another fingerprint',
    alsoFails: because(
      'it replaces a record of another fingerprint',
      'a replacement that is not written leaves the life of what stands',
      'fingerprints are compared to the letter',
    ),
  },
  {
    breaks: 'What is an owner’s own it may overwrite, whatever the request.',
    open: one(new OwnersMayChange()),
    fails: 'the owner of a lock cannot complete or replace it as another request',
    alsoFails: because(
      'it changes the fingerprint and keeps the owner',
      'fingerprints are compared to the letter',
    ),
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
    alsoFails: because(
      'another request has the key later',
      'an expired record can be completed anew, for another request too',
    ),
  },
  {
    breaks: 'A completion looks at the fingerprint first and writes once a moment later.',
    open: one(new ChecksThenWritesOnce()),
    fails: 'of two requests that complete at once under one key, one is stored and the other refused',
    alsoFails: {},
    mayFail: {
      'an acquire that never arrived is made up for: the answer is stored all the same':
        'only if the other idem looks in that moment',
    },
  },
]
