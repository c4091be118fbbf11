import type { AcquireOptions, Claim, Found } from '@idem/core'
import { type Broken, because, one, several } from './broken.js'
import { type Entry, PlainStore } from './plain-store.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

class NeverReady extends PlainStore {
  override async ready(): Promise<void> {
    throw new Error('not connected')
  }
}

class ContendedThrows extends PlainStore {
  override async acquire(...args: Parameters<PlainStore['acquire']>): Promise<Found> {
    const found = await super.acquire(...args)
    if (found.state === 'locked') throw new Error('already in progress')
    return found
  }
}

class ExpireAfterNx extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const there = this.at(key)
    if (there?.kind === 'lock' && there.owner !== claim.owner) this.lock(key, there, leaseMs)
    return super.acquire(key, claim, leaseMs, options)
  }
}

class Reentrant extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const found = await super.acquire(key, claim, leaseMs, options)
    if (found.state !== 'locked' || found.owner !== claim.owner) return found
    this.lock(key, claim, leaseMs)
    return { state: 'acquired' }
  }
}

class Headerless extends PlainStore {
  protected override give(entry: Entry, asker?: Claim) {
    return { ...super.give(entry, asker), owner: asker?.owner ?? '', fingerprint: asker?.fingerprint ?? '' }
  }
}

class StoredNow extends PlainStore {
  protected override give(entry: Entry, asker?: Claim) {
    return { ...super.give(entry, asker), storedAtMs: Date.now() }
  }
}

class WithoutNx extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const found = await super.acquire(key, claim, leaseMs, options)
    if (found.state !== 'locked') return found
    this.lock(key, claim, leaseMs)
    return { state: 'acquired' }
  }
}

class GetThenSet extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    if (this.shared.entries.has(key)) return super.acquire(key, claim, leaseMs, options)
    await turn()
    this.lock(key, claim, leaseMs)
    return { state: 'acquired' }
  }
}

class FoldsCase extends PlainStore {
  override acquire(key: string, ...rest: [Claim, number, AcquireOptions?]) {
    return super.acquire(key.toLowerCase(), ...rest)
  }
  override renew(key: string, ...rest: [Claim, number]) {
    return super.renew(key.toLowerCase(), ...rest)
  }
  override complete(key: string, ...rest: [Claim, Uint8Array, number]) {
    return super.complete(key.toLowerCase(), ...rest)
  }
  override release(key: string, owner: string) {
    return super.release(key.toLowerCase(), owner)
  }
  override read(key: string) {
    return super.read(key.toLowerCase())
  }
  override replace(key: string, ...rest: [Claim, Uint8Array, number]) {
    return super.replace(key.toLowerCase(), ...rest)
  }
  override forget(key: string) {
    return super.forget(key.toLowerCase())
  }
  override append(key: string, ...rest: [string, number, Uint8Array, number]) {
    return super.append(key.toLowerCase(), ...rest)
  }
  override tail(key: string, ...rest: [string, number]) {
    return super.tail(key.toLowerCase(), ...rest)
  }
  override watch(key: string, listener: Parameters<PlainStore['watch']>[1]) {
    return super.watch(key.toLowerCase(), listener)
  }
}

export const acquire: Broken[] = [
  {
    breaks: 'It is never ready.',
    open: one(new NeverReady()),
    fails: 'a store that is ready gives the lock of an absent key',
    alsoFails: {},
  },
  {
    breaks: 'A contended acquire throws.',
    open: one(new ContendedThrows()),
    fails: 'a contended acquire is an answer: the owner and the fingerprint that hold the lock',
    alsoFails: because(
      'it meets a standing lock, which throws',
      'a completion is refused over a lock of another fingerprint, and changes nothing',
      'a contended acquire neither lengthens nor shortens the lease it met',
      'a lock is held for its lease and lapses after it',
      'a lock taken in one process is met in another',
      'a record that gave way to a lock does not come back when the lock lapses',
      'a renewal that is lost does not lengthen the lease it met',
      'a renewed lease is not taken before the renewal lapses',
      'a stale owner cannot release the lock of its successor',
      'a stale owner cannot renew the lock of its successor, and is told that it is lost',
      'a waiter that only polls sees the release and the completion of another process',
      'an ending changes neither lock nor record',
      'an owner that asks twice is told that the lock is its own, and the lease stays as it was',
      'keys that differ in one letter, its case or its length are different keys',
      'names of one letter and of sixty-four are kept whole',
      'of fifty acquires at once one gets the lock, and the others are told whose it is',
      'of fifty that take over a lapsed lease at once one gets it',
      'of twenty that replace one record at once, one gets the lock',
      'owners are compared to the letter',
      'renew takes a lapsed lock back for its owner while nobody else has it',
      'renew takes an absent key back for its owner, and says so',
      'renew tells the holder that it holds the lock',
      'the successor is the owner reported from then on',
      'who never held the lock can neither release nor renew it',
      'with `replacing`, a lock is not taken from its owner',
      'with `replacing`, a record of exactly those bytes gives way to a lock',
      'with `replacing`, an absent key is locked like any other',
    ),
  },
  {
    breaks: 'EXPIRE follows SET NX whether or not the lock was got.',
    open: one(new ExpireAfterNx()),
    fails: 'a contended acquire neither lengthens nor shortens the lease it met',
    alsoFails: because(
      'it asks until the lease lapses, and every time it asks the lease begins anew',
      'a lock is held for its lease and lapses after it',
      'a record that gave way to a lock does not come back when the lock lapses',
      'a renewal that is lost does not lengthen the lease it met',
      'a renewed lease is not taken before the renewal lapses',
      'an owner that asks twice is told that the lock is its own, and the lease stays as it was',
    ),
  },
  {
    breaks: 'An owner that asks for its own lock gets it again, and the lease with it.',
    open: one(new Reentrant()),
    fails: 'an owner that asks twice is told that the lock is its own, and the lease stays as it was',
    alsoFails: {},
  },
  {
    breaks: 'Each process keeps its locks and records to itself.',
    open: () => new PlainStore(),
    fails: 'a lock taken in one process is met in another',
    alsoFails: {
      ...because(
        'each of its two processes lets one through',
        'of fifty acquires at once one gets the lock, and the others are told whose it is',
        'of fifty that take over a lapsed lease at once one gets it',
        'of twenty completions at once one is stored, and the others are given it',
      ),
      ...because(
        'it acts in one process and listens in another',
        'a hint reaches a watcher in another process',
        'after stop() nothing is heard',
        'what happens right after `ready` is heard',
      ),
      ...because(
        'it acts in one process and looks in another',
        'a waiter that only polls sees the release and the completion of another process',
        'an ending is found under the owner that left it, in another process too',
      ),
    },
  },
  {
    breaks: 'A record is bytes alone; who asks is told its own owner and fingerprint.',
    open: one(new Headerless()),
    fails: 'a completed key answers with its record: owner, fingerprint and the exact bytes',
    alsoFails: because(
      'it checks whose record it is given',
      'a completion is refused over a record of another fingerprint, and changes nothing',
      'a completion over the lock of a successor is stored, and the successor learns of it',
      'a completion whose lease has lapsed is stored',
      'a record can be read for its ttl, however often, and then the key is free',
      'a record of no bytes is a record',
      'a record outlives the lease it was made under',
      'a record tells when it was stored, and goes on telling the same',
      'a release never removes a record, not even one of the same owner',
      'a renewal neither lengthens nor shortens the life of a record',
      'a second completion neither lengthens nor shortens the life of the first',
      'a view of a larger buffer is stored and compared as what it shows',
      'a waiter that only polls sees the release and the completion of another process',
      'an ending changes neither lock nor record',
      'an expired record can be completed anew, for another request too',
      'bytes that are not UTF-8 come back',
      'bytes that look like what a store writes itself come back',
      'eight MiB come back',
      'every byte value comes back',
      'line ends and zeros come back',
      'names of one letter and of sixty-four are kept whole',
      'of twenty completions at once one is stored, and the others are given it',
      'renew tells everyone that the key is completed, and leaves the record',
      'the first completion wins, and a second is given the first record',
      'what one reader does to the bytes it was given does not change what the next is given',
      'what the caller does to its buffer afterwards does not change what was stored',
      'with `replacing`, a record of any other bytes stays',
      'with `replacing`, a record of exactly those bytes gives way to a lock',
    ),
  },
  {
    breaks: 'A record was always stored just now.',
    open: one(new StoredNow()),
    fails: 'a record tells when it was stored, and goes on telling the same',
    alsoFails: {},
  },
  {
    breaks: 'SET without NX: everyone gets the lock.',
    open: one(new WithoutNx()),
    fails: 'of fifty acquires at once one gets the lock, and the others are told whose it is',
    alsoFails: {
      ...because(
        'it takes over or replaces with many at once, and every one of them gets the lock',
        'of fifty that take over a lapsed lease at once one gets it',
        'of twenty that replace one record at once, one gets the lock',
      ),
      ...because(
        'it measures the life of a lock by the first acquire that gets it',
        'a lock is held for its lease and lapses after it',
        'a renewed lease is not taken before the renewal lapses',
      ),
      ...because(
        'it looks at a standing lock by asking for it, and gets it',
        'a completion is refused over a lock of another fingerprint, and changes nothing',
        'a contended acquire is an answer: the owner and the fingerprint that hold the lock',
        'a contended acquire neither lengthens nor shortens the lease it met',
        'a lock taken in one process is met in another',
        'a stale owner cannot release the lock of its successor',
        'a stale owner cannot renew the lock of its successor, and is told that it is lost',
        'a waiter that only polls sees the release and the completion of another process',
        'an ending changes neither lock nor record',
        'an owner that asks twice is told that the lock is its own, and the lease stays as it was',
        'keys that differ in one letter, its case or its length are different keys',
        'names of one letter and of sixty-four are kept whole',
        'owners are compared to the letter',
        'renew takes a lapsed lock back for its owner while nobody else has it',
        'renew takes an absent key back for its owner, and says so',
        'renew tells the holder that it holds the lock',
        'the successor is the owner reported from then on',
        'who never held the lock can neither release nor renew it',
        'with `replacing`, a lock is not taken from its owner',
        'with `replacing`, a record of exactly those bytes gives way to a lock',
        'with `replacing`, an absent key is locked like any other',
      ),
    },
  },
  {
    breaks: 'An absent key is looked at first and set a moment later.',
    open: several(GetThenSet),
    fails: 'of fifty acquires at once one gets the lock, and the others are told whose it is',
    alsoFails: {},
  },
  {
    breaks: 'Keys are compared without case, as some SQL collations do.',
    open: one(new FoldsCase()),
    fails: 'keys that differ in one letter, its case or its length are different keys',
    alsoFails: {},
  },
]
