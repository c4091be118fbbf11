import type { AcquireOptions, Claim, Found } from '@idem/core/store'
import { type Broken, because, one, several } from './broken.js'
import { type Entry, PlainStore } from './plain-store.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

class OfAnotherVersion extends PlainStore {
  override readonly specVersion = 2 as never
}

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
  override once(key: string, ...rest: [Claim, Uint8Array, number]) {
    return super.once(key.toLowerCase(), ...rest)
  }
  override release(key: string, owner: string) {
    return super.release(key.toLowerCase(), owner)
  }
  override read(key: string) {
    return super.read(key.toLowerCase())
  }
  override over(key: string, ...rest: [Claim, Uint8Array, number]) {
    return super.over(key.toLowerCase(), ...rest)
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
    breaks: 'It keeps another version of the contract.',
    open: one(new OfAnotherVersion()),
    fails: 'a store says which version of the contract it keeps',
    alsoFails: {},
    // No idem takes it.
    alone: 'acquire',
  },
  {
    breaks: 'It is never ready.',
    open: one(new NeverReady()),
    fails: 'a store that is ready gives the lock of an absent key',
    alsoFails: because(
      'core waits until the store is ready, and then goes on without it',
      'a completion that never arrived is stored later, before another makes the call again',
      'a release that never arrived: waiters are told how it ended, and do not make the call again',
      'an acquire that never arrived is made up for: the answer is stored all the same',
      'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer',
      'commands that arrive late find what was settled meanwhile, and leave it',
      'hints are doubled: they wake, and change nothing',
      'hints are lost: waiters find the answer by looking, and do not make the call',
      'nothing goes wrong: duplicates in two processes cost one execution, and later ones none',
      'renewals whose replies are lost hold the lock',
      'the reply to a completion is lost: the answer stands, also when it is sent once more',
      'the reply to an acquire is lost: the lock is found to be one’s own, and one execution is made',
    ),
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
      'an owner that never held the lock can neither release nor renew it',
      'with `replacing`, a lock is not taken from its owner',
      'with `replacing`, a record of exactly those bytes gives way to a lock',
      'with `replacing`, an absent key is locked like any other',
      'a completion that never arrived is stored later, before another makes the call again',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a lock of another fingerprint is reported with the one it has',
      'a lock that is forgotten is still its owner’s: it is reported, renewed and met by others',
      'a release that never arrived: waiters are told how it ended, and do not make the call again',
      'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer',
      'an owner whose void lock is met again is told that it is its own',
      'hints are doubled: they wake, and change nothing',
      'hints are lost: waiters find the answer by looking, and do not make the call',
      'nothing goes wrong: duplicates in two processes cost one execution, and later ones none',
      'renewals whose replies are lost hold the lock',
      'the reply to a completion is lost: the answer stands, also when it is sent once more',
      'the reply to an acquire is lost: the lock is found to be one’s own, and one execution is made',
      'with `replacing`, a void lock is not taken from its owner',
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
      'a release that never arrived: waiters are told how it ended, and do not make the call again',
      'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer',
    ),
  },
  {
    breaks: 'An owner that asks for its own lock gets it again, and the lease with it.',
    open: one(new Reentrant()),
    fails: 'an owner that asks twice is told that the lock is its own, and the lease stays as it was',
    alsoFails: because(
      'an owner asks for its own lock',
      'an owner whose void lock is met again is told that it is its own',
    ),
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
      ...because(
        'two of its processes write on one board',
        'a report written again under its name stands once, with the newer bytes',
        'of many reports at once none is lost',
        'reports of many names are all there, whichever handle wrote them',
      ),
      ...because(
        'it acts in one process and looks in another',
        'a completion over a void lock is refused, in another process too, and the lock stays',
        'a completion that never arrived is stored later, before another makes the call again',
        'a hint of few bytes carries them',
        'a large append is heard with all its bytes or none, and tail has them all',
        'a lock that is forgotten is still its owner’s: it is reported, renewed and met by others',
        'a log that is followed by hints and tail is followed whole',
        'a record gives way to the new one of the same fingerprint, for every handle',
        'a record that is forgotten is gone for every handle, and the key completes anew',
        'a release that never arrived: waiters are told how it ended, and do not make the call again',
        'a replacement wakes a watcher and names the owner whose record stands now',
        'an acquire that never arrived is made up for: the answer is stored all the same',
        'an append is heard by watchers of its key: owner, offset, and the bytes where they are few',
        'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer',
        'close() of one handle ends its watchers and no others',
        'close() of one handle leaves locks, records and endings to the others',
        'commands that arrive late find what was settled meanwhile, and leave it',
        'hints are doubled: they wake, and change nothing',
        'hints are lost: waiters find the answer by looking, and do not make the call',
        'nothing goes wrong: duplicates in two processes cost one execution, and later ones none',
        'of many appends at one offset at once exactly one is written',
        'of two requests that complete at once under one key, one is stored and the other refused',
        'renewals whose replies are lost hold the lock',
        'the reply to a completion is lost: the answer stands, also when it is sent once more',
        'the reply to an acquire is lost: the lock is found to be one’s own, and one execution is made',
        'what one process appends another reads and goes on with',
        'what one process writes is read in another',
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
      'a report leaves the key of its board’s name alone: lock, record, ending and log',
      'a second completion neither lengthens nor shortens the life of the first',
      'a view of a larger buffer is stored and compared as what it shows',
      'a waiter that only polls sees the release and the completion of another process',
      'an ending changes neither lock nor record',
      'an expired record can be completed anew, for another request too',
      'bytes that are not UTF-8 come back',
      'bytes that look like what a store writes itself come back',
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
      'a completed key reads as the very record that acquire gives',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a log needs no lock and changes neither lock nor record',
      'a record gives way to the new one of the same fingerprint, for every handle',
      'a record of another fingerprint is reported with the one it has',
      'a record that is forgotten is gone for every handle, and the key completes anew',
      'a record that is read expires when it would have',
      'a record whose bytes look like a lock of its owner is a record to every command',
      'a refused completion is told nothing of the record that stands, and does not wear it down',
      'a release of a void lock frees the key, which then completes again',
      'a replacement that is not written leaves the life of what stands',
      'endings and logs stand under no key',
      'every byte value comes back from a replacement, and so do none',
      'fingerprints are compared to the letter',
      'of twenty replacements at once every one is written, and a whole one stands',
      'of two requests that complete at once under one key, one is stored and the other refused',
      'on an absent key the record is written',
      'once a void lock has lapsed, the key is absent and completes again',
      'once the lock has lapsed or was released, another request has the key',
      'other keys are not forgotten with it',
      'over a lock of the same fingerprint the record is written, and the holder learns of it',
      'owners and fingerprints may be as short, as long and as pointed as keys',
      'replace does not write over a record of another fingerprint',
      'the new record lives as long as it was given, be it longer',
      'the new record lives as long as it was given, be it shorter',
      'the new record stands: a completion is given it',
      'the new record tells when it was stored itself',
      'what a reader does to the bytes it read does not change the record',
      'what one process writes is read in another',
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
        'an owner that never held the lock can neither release nor renew it',
        'with `replacing`, a lock is not taken from its owner',
        'with `replacing`, a record of exactly those bytes gives way to a lock',
        'with `replacing`, an absent key is locked like any other',
      ),
      ...because(
        'it looks at a standing lock by asking for it, and gets it',
        'a completion that never arrived is stored later, before another makes the call again',
        'a key may be 64 characters, and all of them count',
        'a key may be `-` or `_` alone, or end in them on both sides',
        'a key may be one character, a letter or a digit',
        'a lock of another fingerprint is reported with the one it has',
        'a lock that is forgotten is still its owner’s: it is reported, renewed and met by others',
        'a release that never arrived: waiters are told how it ended, and do not make the call again',
        'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer',
        'an owner whose void lock is met again is told that it is its own',
        'hints are doubled: they wake, and change nothing',
        'hints are lost: waiters find the answer by looking, and do not make the call',
        'nothing goes wrong: duplicates in two processes cost one execution, and later ones none',
        'renewals whose replies are lost hold the lock',
        'the reply to a completion is lost: the answer stands, also when it is sent once more',
        'the reply to an acquire is lost: the lock is found to be one’s own, and one execution is made',
        'with `replacing`, a void lock is not taken from its owner',
      ),
    },
  },
  {
    breaks: 'An absent key is looked at first and set a moment later.',
    open: several(GetThenSet),
    fails: 'of fifty acquires at once one gets the lock, and the others are told whose it is',
    alsoFails: because(
      'two idems ask for one key at once',
      'a completion that never arrived is stored later, before another makes the call again',
      'hints are doubled: they wake, and change nothing',
      'hints are lost: waiters find the answer by looking, and do not make the call',
      'nothing goes wrong: duplicates in two processes cost one execution, and later ones none',
      'renewals whose replies are lost hold the lock',
      'the reply to a completion is lost: the answer stands, also when it is sent once more',
      'the reply to an acquire is lost: the lock is found to be one’s own, and one execution is made',
    ),
  },
  {
    breaks: 'Keys are compared without case, as some SQL collations do.',
    open: one(new FoldsCase()),
    fails: 'keys that differ in one letter, its case or its length are different keys',
    alsoFails: because(
      'its keys differ in case',
      'every character of base64url is one of its own',
      'other keys are not forgotten with it',
    ),
  },
]
