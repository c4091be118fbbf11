import type { AcquireOptions, Claim, Completed, Found, Renewed } from '@idem/core/store'
import { type Broken, because, one } from './broken.js'
import { PlainStore } from './plain-store.js'

const DAY_MS = 24 * 3_600_000
const wholeSeconds = (ms: number) => Math.floor(ms / 1000) * 1000

class LeaseInSeconds extends PlainStore {
  override acquire(key: string, claim: Claim, leaseMs: number, options?: AcquireOptions): Promise<Found> {
    return super.acquire(key, claim, wholeSeconds(leaseMs), options)
  }
}

class ReleasesLapsed extends PlainStore {
  override async release(key: string, owner: string): Promise<boolean> {
    const there = this.shared.entries.get(key)
    return (
      (await super.release(key, owner)) || (there?.kind === 'lock' && there.owner === owner && !this.at(key))
    )
  }
}

class RenewalsAdd extends PlainStore {
  override async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    const there = this.at(key)
    return super.renew(key, claim, there?.kind === 'lock' ? there.expiresAt - this.now() + leaseMs : leaseMs)
  }
}

class RetakesForGood extends PlainStore {
  override renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    return super.renew(key, claim, this.at(key) ? leaseMs : DAY_MS)
  }
}

class RecordForGood extends PlainStore {
  override once(key: string, claim: Claim, bytes: Uint8Array): Promise<Completed> {
    return super.once(key, claim, bytes, DAY_MS)
  }
}

class RecordInSeconds extends PlainStore {
  override once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    return super.once(key, claim, bytes, wholeSeconds(ttlMs))
  }
}

class ReadingKeepsAlive extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const found = await super.acquire(key, claim, leaseMs, options)
    const there = this.at(key)
    if (there?.kind === 'record') this.shared.entries.set(key, { ...there, expiresAt: this.now() + DAY_MS })
    return found
  }
}

class RecordLivesAsLease extends PlainStore {
  override once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const there = this.at(key)
    return super.once(key, claim, bytes, there?.kind === 'lock' ? there.expiresAt - this.now() : ttlMs)
  }
}

class CompletionLeavesLock extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const lock = this.at(key)
    const completed = await super.once(key, claim, bytes, ttlMs)
    if (lock?.kind === 'lock' && completed.state === 'stored') this.#locks.set(key, lock.expiresAt)
    return completed
  }
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const behind = !this.at(key) && (this.#locks.get(key) ?? 0) > this.now()
    return behind ? { state: 'locked', ...claim } : super.acquire(key, claim, leaseMs, options)
  }
  readonly #locks = new Map<string, number>()
}

class ExpiredStillStands extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const there = this.shared.entries.get(key)
    if (there?.kind === 'record' && there.fingerprint !== claim.fingerprint) return { state: 'refused' }
    return super.once(key, claim, bytes, ttlMs)
  }
}

class RenewalMovesRecord extends PlainStore {
  override async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    const there = this.at(key)
    if (there) this.shared.entries.set(key, { ...there, expiresAt: this.now() + leaseMs })
    return super.renew(key, claim, leaseMs)
  }
}

class CompletionMovesRecord extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const completed = await super.once(key, claim, bytes, ttlMs)
    const there = this.at(key)
    if (there && completed.state === 'standing') {
      this.shared.entries.set(key, { ...there, expiresAt: this.now() + ttlMs })
    }
    return completed
  }
}

class ReplacedComesBack extends PlainStore {
  readonly #replaced = new Map<string, Found>()
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const before = this.#replaced.get(key)
    if (before && !this.at(key)) return before
    const there = this.at(key)
    const found = await super.acquire(key, claim, leaseMs, options)
    if (there?.kind === 'record' && found.state === 'acquired') {
      this.#replaced.set(key, { state: 'completed', record: this.give(there, claim) })
    }
    return found
  }
}

class EndingForGood extends PlainStore {
  override leaveNote(key: string, owner: string, ending: Uint8Array): Promise<void> {
    return super.leaveNote(key, owner, ending, DAY_MS)
  }
}

class EndingInSeconds extends PlainStore {
  override leaveNote(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    return super.leaveNote(key, owner, ending, wholeSeconds(ms))
  }
}

export const expiry: Broken[] = [
  {
    breaks: 'A lease is counted in whole seconds, and what is below one is nothing.',
    open: one(new LeaseInSeconds()),
    fails: 'a lock is held for its lease and lapses after it',
    alsoFails: because(
      'the lease is below a second, or is cut to one',
      'a lock that is read lapses when it would have',
      'forget leaves the rest of the lease as it was, neither longer nor shorter',
      'once a void lock has lapsed, the key is absent and completes again',
    ),
    mayFail: {
      'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer':
        'without a real lock it is chance which of them meet',
      'the reply to a completion is lost: the answer stands, also when it is sent once more':
        'without a real lock it is chance which of them meet',
      'nothing goes wrong: duplicates in two processes cost one execution, and later ones none':
        'without a real lock it is chance which of them meet',
      'hints are doubled: they wake, and change nothing':
        'without a real lock it is chance which of them meet',
      'hints are lost: waiters find the answer by looking, and do not make the call':
        'without a real lock it is chance which of them meet',
      'a release that never arrived: waiters are told how it ended, and do not make the call again':
        'without a real lock it is chance which of them meet',
      'renewals whose replies are lost hold the lock': 'without a real lock it is chance which of them meet',
    },
  },
  {
    breaks: 'A release of a lapsed lock says that it gave it up.',
    open: one(new ReleasesLapsed()),
    fails: 'a lapsed lock is no longer there for its owner to release',
    alsoFails: {},
  },
  {
    breaks: 'A renewal adds to what is left.',
    open: one(new RenewalsAdd()),
    fails: 'renewals count from now and do not add up',
    alsoFails: {},
  },
  {
    breaks: 'A lock taken back by renew never lapses.',
    open: one(new RetakesForGood()),
    fails: 'a lock taken back by renew lapses like any other',
    alsoFails: {},
  },
  {
    breaks: 'A record never expires.',
    open: one(new RecordForGood()),
    fails: 'a record can be read for its ttl, however often, and then the key is free',
    alsoFails: because(
      'it waits for a record to expire',
      'a renewal neither lengthens nor shortens the life of a record',
      'a second completion neither lengthens nor shortens the life of the first',
      'an expired record can be completed anew, for another request too',
      'nothing of a long lease is left when a record of a short ttl has expired',
      'a record that is read expires when it would have',
      'a replacement that is not written leaves the life of what stands',
      'what has lapsed or expired is nothing to forget',
    ),
  },
  {
    breaks: 'A ttl is counted in whole seconds, and what is below one is nothing.',
    open: one(new RecordInSeconds()),
    fails: 'a record can be read for its ttl, however often, and then the key is free',
    alsoFails: because('the ttl is below a second', 'a record that is read expires when it would have'),
  },
  {
    breaks: 'A record that is read lives anew.',
    open: one(new ReadingKeepsAlive()),
    fails: 'a record can be read for its ttl, however often, and then the key is free',
    alsoFails: because(
      'it waits for a record to expire by looking at it',
      'a renewal neither lengthens nor shortens the life of a record',
      'a second completion neither lengthens nor shortens the life of the first',
      'nothing of a long lease is left when a record of a short ttl has expired',
    ),
  },
  {
    breaks: 'A record lives for what was left of the lease.',
    open: one(new RecordLivesAsLease()),
    fails: 'a record outlives the lease it was made under',
    alsoFails: because(
      'the ttl is shorter than the lease, and it waits for the record to expire',
      'a record can be read for its ttl, however often, and then the key is free',
      'a renewal neither lengthens nor shortens the life of a record',
      'a second completion neither lengthens nor shortens the life of the first',
      'an expired record can be completed anew, for another request too',
      'nothing of a long lease is left when a record of a short ttl has expired',
      'a record that is read expires when it would have',
      'a replacement that is not written leaves the life of what stands',
      'what has lapsed or expired is nothing to forget',
    ),
  },
  {
    breaks: 'A completion leaves the lock behind the record.',
    open: one(new CompletionLeavesLock()),
    fails: 'nothing of a long lease is left when a record of a short ttl has expired',
    alsoFails: {
      ...because(
        'it waits for a record to expire, or replaces one, and meets the lock behind it',
        'a record can be read for its ttl, however often, and then the key is free',
        'a record that gave way to a lock does not come back when the lock lapses',
        'a renewal neither lengthens nor shortens the life of a record',
        'a second completion neither lengthens nor shortens the life of the first',
      ),
      ...because(
        'it forgets the record, and meets the lock behind it',
        'a key may be 64 characters, and all of them count',
        'a record that is forgotten is gone for every handle, and the key completes anew',
      ),
    },
  },
  {
    breaks: 'An expired record still refuses other fingerprints.',
    open: one(new ExpiredStillStands()),
    fails: 'an expired record can be completed anew, for another request too',
    alsoFails: {},
  },
  {
    breaks: 'A renewal sets the life of whatever stands.',
    open: one(new RenewalMovesRecord()),
    fails: 'a renewal neither lengthens nor shortens the life of a record',
    alsoFails: {
      'a renewal that is lost does not lengthen the lease it met':
        'a renewal that is lost sets the life of the lock it met',
    },
    mayFail: {
      'commands that arrive late find what was settled meanwhile, and leave it':
        'only if the life of a lock, which a late renewal gave the record, is over before it is looked at',
    },
  },
  {
    breaks: 'A second completion sets the life of the first.',
    open: one(new CompletionMovesRecord()),
    fails: 'a second completion neither lengthens nor shortens the life of the first',
    alsoFails: {},
  },
  {
    breaks: 'A replaced record stays behind the lock and comes back when the lock lapses.',
    open: one(new ReplacedComesBack()),
    fails: 'a record that gave way to a lock does not come back when the lock lapses',
    alsoFails: {},
  },
  {
    breaks: 'An ending never expires.',
    open: one(new EndingForGood()),
    fails: 'an ending is there for its time and gone after it',
    alsoFails: {},
  },
  {
    breaks: 'The life of an ending is counted in whole seconds, and what is below one is nothing.',
    open: one(new EndingInSeconds()),
    fails: 'an ending is there for its time and gone after it',
    alsoFails: {},
  },
]
