import type { Claim, Renewed } from '@idem/core/store'
import { type Broken, because, one } from './broken.js'
import { PlainStore } from './plain-store.js'

class UnfencedRelease extends PlainStore {
  override async release(key: string, owner: string): Promise<boolean> {
    const there = this.at(key)
    return there?.kind === 'lock' ? super.release(key, there.owner) : super.release(key, owner)
  }
}

class UnfencedRenew extends PlainStore {
  override async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    const there = this.at(key)
    if (there?.kind !== 'lock') return super.renew(key, claim, leaseMs)
    this.lock(key, there, leaseMs)
    this.hint(key, { type: 'held', owner: claim.owner })
    return 'held'
  }
}

class FoldsOwners extends PlainStore {
  override async release(key: string, owner: string): Promise<boolean> {
    const there = this.at(key)
    const folded = there?.owner.toLowerCase() === owner.toLowerCase()
    return super.release(key, there && folded ? there.owner : owner)
  }
}

class LeavesLockToLapse extends PlainStore {
  override async release(key: string, owner: string): Promise<boolean> {
    const there = this.at(key)
    const released = await super.release(key, owner)
    if (released && there) this.lock(key, { owner: '', fingerprint: there.fingerprint }, 60_000)
    return released
  }
}

class AlwaysReleases extends PlainStore {
  override async release(key: string, owner: string): Promise<boolean> {
    const there = this.at(key)
    return (await super.release(key, owner)) || !there
  }
}

class ReleasesRecords extends PlainStore {
  override async release(key: string, owner: string): Promise<boolean> {
    const there = this.at(key)
    if (there?.owner !== owner) return false
    if (there.kind === 'lock') return super.release(key, owner)
    return this.shared.entries.delete(key)
  }
}

export const ownership: Broken[] = [
  {
    breaks: 'A release deletes the lock, whoever holds it.',
    open: one(new UnfencedRelease()),
    fails: 'a stale owner cannot release the lock of its successor',
    alsoFails: because(
      'somebody who does not hold the lock releases it',
      'owners are compared to the letter',
      'an owner that never held the lock can neither release nor renew it',
      'a lock that is forgotten is still its owner’s: it is reported, renewed and met by others',
    ),
  },
  {
    breaks: 'A renewal extends the lock, whoever holds it.',
    open: one(new UnfencedRenew()),
    fails: 'a stale owner cannot renew the lock of its successor, and is told that it is lost',
    alsoFails: because(
      'somebody who does not hold the lock renews it',
      'a renewal that is refused tells no watcher anything',
      'a renewal that is lost does not lengthen the lease it met',
      'owners are compared to the letter',
      'an owner that never held the lock can neither release nor renew it',
      'a lock that is forgotten is still its owner’s: it is reported, renewed and met by others',
      'owners and fingerprints may be as short, as long and as pointed as keys',
    ),
  },
  {
    breaks: 'A release compares owners without case.',
    open: one(new FoldsOwners()),
    fails: 'owners are compared to the letter',
    alsoFails: {},
  },
  {
    breaks: 'A release forgets the owner but leaves the key locked until the lease is over.',
    open: one(new LeavesLockToLapse()),
    fails: 'a release by the owner frees the key at once',
    alsoFails: because(
      'it takes a key again after its release',
      'a waiter that only polls sees the release and the completion of another process',
      'an ending left before the release is there after it, for every waiter that asks',
      'keys that differ in one letter, its case or its length are different keys',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a lock of the same owner after the release is not void',
      'a release of a void lock frees the key, which then completes again',
      'a released key reads as absent',
      'once the lock has lapsed or was released, another request has the key',
    ),
  },
  {
    breaks: 'A release that found nothing says that it released.',
    open: one(new AlwaysReleases()),
    fails: 'only the first release gives something up',
    alsoFails: {
      'a lapsed lock is no longer there for its owner to release':
        'nothing is left to release once the lease has lapsed',
    },
  },
  {
    breaks: 'A release deletes the record of its owner too.',
    open: one(new ReleasesRecords()),
    fails: 'a release never removes a record, not even one of the same owner',
    alsoFails: because(
      'the owner of a record releases it',
      'a record whose bytes look like a lock of its owner is a record to every command',
    ),
  },
]
