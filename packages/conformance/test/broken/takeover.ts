import type { AcquireOptions, Claim, Found, Renewed } from '@idem/core/store'
import { type Broken, because, one, several } from './broken.js'
import { PlainStore } from './plain-store.js'

class KeepsOldOwner extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const lapsed = this.at(key) ? undefined : this.shared.entries.get(key)
    const found = await super.acquire(key, claim, leaseMs, options)
    if (found.state === 'acquired' && lapsed?.kind === 'lock') this.lock(key, lapsed, leaseMs)
    return found
  }
}

class LockLivesAsRecord extends PlainStore {
  override acquire(key: string, claim: Claim, _leaseMs: number, options?: AcquireOptions): Promise<Found> {
    return super.acquire(key, claim, 24 * 3_600_000, options)
  }
}

class TakesOverLater extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    if (this.at(key) || this.shared.entries.get(key)?.kind !== 'lock') {
      return super.acquire(key, claim, leaseMs, options)
    }
    await new Promise<void>((resolve) => setImmediate(resolve))
    this.lock(key, claim, leaseMs)
    return { state: 'acquired' }
  }
}

class RenewsNothing extends PlainStore {
  override async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    return this.at(key)?.owner === claim.owner && this.at(key)?.kind === 'lock'
      ? 'held'
      : super.renew(key, claim, leaseMs)
  }
}

class AlwaysRetakes extends PlainStore {
  override async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    const renewed = await super.renew(key, claim, leaseMs)
    return renewed === 'held' ? 'retaken' : renewed
  }
}

class NeverRetakes extends PlainStore {
  override async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    return this.at(key) ? super.renew(key, claim, leaseMs) : 'lost'
  }
}

class RenewsOverRecord extends PlainStore {
  override async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    const there = this.at(key)
    if (there?.kind !== 'record') return super.renew(key, claim, leaseMs)
    if (there.owner !== claim.owner) return 'completed'
    this.lock(key, claim, leaseMs)
    return 'held'
  }
}

export const takeover: Broken[] = [
  {
    breaks: 'A takeover extends the lapsed lock and leaves the old owner in it.',
    open: one(new KeepsOldOwner()),
    fails: 'the successor is the owner reported from then on',
    alsoFails: {
      ...because(
        'it looks for the successor in the lock, and the successor is not there',
        'a stale owner cannot release the lock of its successor',
        'the lock of a successor is its own to renew and to release',
      ),
      ...because(
        'the stale owner still is the owner',
        'a stale owner cannot renew the lock of its successor, and is told that it is lost',
      ),
      ...because(
        'it looks for the successor in the lock, and the successor is not there',
        'a stale owner cannot complete over the void lock of its successor, nor can the successor',
        'once a void lock has lapsed, the key is absent and completes again',
      ),
    },
  },
  {
    breaks: 'A lock lives as long as a record: after a crash the key is dead for a day.',
    open: one(new LockLivesAsRecord()),
    fails: 'a lapsed lease can be taken',
    alsoFails: because(
      'it waits for a lease to lapse',
      'a completion over the lock of a successor is stored, and the successor learns of it',
      'a contended acquire neither lengthens nor shortens the lease it met',
      'a lapsed lock is no longer there for its owner to release',
      'a lock is held for its lease and lapses after it',
      'a record that gave way to a lock does not come back when the lock lapses',
      'a renewal that is lost does not lengthen the lease it met',
      'a stale owner cannot release the lock of its successor',
      'a stale owner cannot renew the lock of its successor, and is told that it is lost',
      'an owner that asks twice is told that the lock is its own, and the lease stays as it was',
      'of fifty that take over a lapsed lease at once one gets it',
      'renew takes a lapsed lock back for its owner while nobody else has it',
      'the lock of a successor is its own to renew and to release',
      'the successor is the owner reported from then on',
      'a lock that is read lapses when it would have',
      'a stale owner cannot complete over the void lock of its successor, nor can the successor',
      'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer',
      'forget leaves the rest of the lease as it was, neither longer nor shorter',
      'once a void lock has lapsed, the key is absent and completes again',
      'once the lock has lapsed or was released, another request has the key',
      'what has lapsed or expired is nothing to forget',
    ),
  },
  {
    breaks: 'A takeover sees the lapsed lock first and replaces it a moment later.',
    open: several(TakesOverLater),
    fails: 'of fifty that take over a lapsed lease at once one gets it',
    alsoFails: {},
    mayFail: {
      'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer':
        'only if both waiters look at the same moment',
    },
  },
  {
    breaks: 'A renewal says `held` and extends nothing.',
    open: one(new RenewsNothing()),
    fails: 'a renewed lease is not taken before the renewal lapses',
    alsoFails: because(
      'nothing is renewed that could be told',
      'a renewal tells a watcher that the owner is at work',
    ),
    mayFail: {
      'renewals whose replies are lost hold the lock':
        'only if a waiter looks before the owner takes the lock back',
    },
  },
  {
    breaks: 'A renewal cannot tell its own lock from an absent key.',
    open: one(new AlwaysRetakes()),
    fails: 'renew tells the holder that it holds the lock',
    alsoFails: because(
      'it renews a lock that is held and is not told `held`',
      'a completion is refused over a lock of another fingerprint, and changes nothing',
      'a renewed lease is not taken before the renewal lapses',
      'a report leaves the key of its board’s name alone: lock, record, ending and log',
      'an ending changes neither lock nor record',
      'names of one letter and of sixty-four are kept whole',
      'renew takes an absent key back for its owner, and says so',
      'the lock of a successor is its own to renew and to release',
      'with `replacing`, a lock is not taken from its owner',
      'a completion over a void lock is refused, in another process too, and the lock stays',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a lock that is forgotten is still its owner’s: it is reported, renewed and met by others',
      'a locked key reads as locked, with owner and fingerprint',
      'a log needs no lock and changes neither lock nor record',
      'a renewal keeps a void lock void',
      'replace does not write over a lock of another fingerprint',
    ),
  },
  {
    breaks: 'A renewal of an absent key gives up.',
    open: one(new NeverRetakes()),
    fails: 'renew takes an absent key back for its owner, and says so',
    alsoFails: because(
      'it begins with a lock taken back',
      'a renewal that takes the lock back tells the same',
      'a lock taken back by renew lapses like any other',
      'renew takes a lapsed lock back for its owner while nobody else has it',
      'a lock of the same owner after the release is not void',
    ),
  },
  {
    breaks: 'A late renewal turns the record of its owner back into a lock.',
    open: one(new RenewsOverRecord()),
    fails: 'renew tells everyone that the key is completed, and leaves the record',
    alsoFails: because(
      'the owner of a record renews it',
      'a record whose bytes look like a lock of its owner is a record to every command',
      'a renewal neither lengthens nor shortens the life of a record',
      'commands that arrive late find what was settled meanwhile, and leave it',
    ),
  },
]
