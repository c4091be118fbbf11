import type { AcquireOptions, Claim, Completed, Found, Hint, Renewed } from '@idem/core/store'
import { type Broken, because, one } from './broken.js'
import { type Entry, isVoid, type Lock, PlainStore } from './plain-store.js'

const DAY_MS = 86_400_000

class AlwaysForgets extends PlainStore {
  override async forget(key: string): Promise<boolean> {
    await super.forget(key)
    return true
  }
}

class ForgetsLapsed extends PlainStore {
  override async forget(key: string): Promise<boolean> {
    const there = this.shared.entries.has(key)
    return (await super.forget(key)) || there
  }
}

class ForgetsLocksOnly extends PlainStore {
  override async forget(key: string): Promise<boolean> {
    return this.at(key)?.kind === 'record' ? true : super.forget(key)
  }
}

class DeletesLocks extends PlainStore {
  override async forget(key: string): Promise<boolean> {
    const there = this.at(key)
    this.shared.entries.delete(key)
    return there !== undefined
  }
}

class AskingClears extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const there = this.at(key)
    if (isVoid(there) && there?.owner === claim.owner) this.lock(key, claim, there.expiresAt - this.now())
    return super.acquire(key, claim, leaseMs, options)
  }
}

class LeavesLocks extends PlainStore {
  override async forget(key: string): Promise<boolean> {
    return this.at(key)?.kind === 'lock' ? true : super.forget(key)
  }
}

class RenewalClears extends PlainStore {
  override async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    const renewed = await super.renew(key, claim, leaseMs)
    if (renewed === 'held') this.lock(key, claim, leaseMs)
    return renewed
  }
}

class BindsOwnerOnly extends PlainStore {
  protected override refuses(there: Lock | Entry | undefined, claim: Claim): boolean {
    if (isVoid(there) && there?.owner !== claim.owner) return there?.fingerprint !== claim.fingerprint
    return super.refuses(there, claim)
  }
  override async over(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    return isVoid(this.at(key)) ? false : super.over(key, claim, bytes, ttlMs)
  }
}

class ReplacesVoid extends PlainStore {
  override async over(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    const there = this.at(key)
    if (!isVoid(there) || there?.fingerprint !== claim.fingerprint) {
      return super.over(key, claim, bytes, ttlMs)
    }
    this.write(key, claim, bytes, ttlMs)
    return true
  }
}

class ReplacingTakesVoid extends PlainStore {
  override acquire(key: string, claim: Claim, leaseMs: number, options?: AcquireOptions): Promise<Found> {
    if (options?.replacing && isVoid(this.at(key))) this.shared.entries.delete(key)
    return super.acquire(key, claim, leaseMs, options)
  }
}

class CannotReleaseVoid extends PlainStore {
  override async release(key: string, owner: string): Promise<boolean> {
    return isVoid(this.at(key)) ? false : super.release(key, owner)
  }
}

class VoidForOwner extends PlainStore {
  readonly #void = new Set<string>()
  override async forget(key: string): Promise<boolean> {
    const there = this.at(key)
    if (there?.kind === 'lock') this.#void.add(`${key} ${there.owner}`)
    return super.forget(key)
  }
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    if (this.at(key)?.kind === 'lock' && this.#void.has(`${key} ${claim.owner}`)) return { state: 'refused' }
    return super.once(key, claim, bytes, ttlMs)
  }
}

class MarkOutlivesLock extends PlainStore {
  readonly #void = new Set<string>()
  override async forget(key: string): Promise<boolean> {
    if (this.at(key)?.kind === 'lock') this.#void.add(key)
    return super.forget(key)
  }
  override async release(key: string, owner: string): Promise<boolean> {
    const released = await super.release(key, owner)
    if (released) this.#void.delete(key)
    return released
  }
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    return this.#void.has(key) ? { state: 'refused' } : super.once(key, claim, bytes, ttlMs)
  }
}

class ForgetMovesLease extends PlainStore {
  protected readonly leaseMs: number = DAY_MS
  override async forget(key: string): Promise<boolean> {
    const there = this.at(key)
    if (there?.kind !== 'lock') return super.forget(key)
    this.lock(key, { ...there, void: true }, this.leaseMs)
    return true
  }
}

class ForgetShortens extends ForgetMovesLease {
  protected override readonly leaseMs = 80
}

class Toggles extends PlainStore {
  override async forget(key: string): Promise<boolean> {
    const there = this.at(key)
    if (there?.kind !== 'lock') return super.forget(key)
    this.shared.entries.set(key, { ...there, void: !there.void })
    return true
  }
}

class ForgetsBeginnings extends PlainStore {
  override async forget(key: string): Promise<boolean> {
    for (const other of this.shared.entries.keys()) if (other.startsWith(key)) await super.forget(other)
    return super.forget(key)
  }
}

class SilentVoid extends PlainStore {
  #silent = false
  override async release(key: string, owner: string): Promise<boolean> {
    this.#silent = isVoid(this.at(key))
    const released = super.release(key, owner)
    this.#silent = false
    return released
  }
  protected override hint(key: string, hint: Hint): void {
    if (!this.#silent) super.hint(key, hint)
  }
}

/** Mistakes with `forget` and the void locks it leaves. */
export const voids: Broken[] = [
  {
    breaks: 'forget says that there was something, whether or not there was.',
    open: one(new AlwaysForgets()),
    fails: 'on an absent key there is nothing to forget, and the key stays free',
    alsoFails: because(
      'there is nothing to forget',
      'a record that is forgotten is gone for every handle, and the key completes anew',
      'what has lapsed or expired is nothing to forget',
    ),
  },
  {
    breaks: 'What has lapsed but was not cleaned up yet is something to forget.',
    open: one(new ForgetsLapsed()),
    fails: 'what has lapsed or expired is nothing to forget',
    alsoFails: {},
  },
  {
    breaks: 'forget leaves records.',
    open: one(new ForgetsLocksOnly()),
    fails: 'a record that is forgotten is gone for every handle, and the key completes anew',
    alsoFails: because(
      'it forgets a record',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a record whose bytes look like a lock of its owner is a record to every command',
    ),
  },
  {
    breaks: 'forget deletes a lock: the next one makes the call beside its owner.',
    open: one(new DeletesLocks()),
    fails: 'a lock that is forgotten is still its owner’s: it is reported, renewed and met by others',
    alsoFails: because(
      'it expects a lock that was forgotten to stand',
      'a completion over a void lock is refused, in another process too, and the lock stays',
      'a release of a void lock frees the key, which then completes again',
      'a renewal keeps a void lock void',
      'a stale owner cannot complete over the void lock of its successor, nor can the successor',
      'a void lock can be forgotten again and stays void',
      'an owner whose void lock is met again is told that it is its own',
      'forget leaves the rest of the lease as it was, neither longer nor shorter',
      'replace does not write over a void lock',
      'the release of a void lock wakes a watcher',
      'with `replacing`, a void lock is not taken from its owner',
    ),
  },
  {
    breaks: 'An owner that asks for its void lock again gets a fresh one.',
    open: one(new AskingClears()),
    fails: 'an owner whose void lock is met again is told that it is its own',
    alsoFails: {},
  },
  {
    breaks: 'forget leaves locks as they are: what is under way is stored all the same.',
    open: one(new LeavesLocks()),
    fails: 'a completion over a void lock is refused, in another process too, and the lock stays',
    alsoFails: because(
      'it expects a lock that was forgotten to be void',
      'a renewal keeps a void lock void',
      'a stale owner cannot complete over the void lock of its successor, nor can the successor',
      'a void lock can be forgotten again and stays void',
      'an owner whose void lock is met again is told that it is its own',
      'replace does not write over a void lock',
      'with `replacing`, a void lock is not taken from its owner',
    ),
  },
  {
    breaks: 'A renewal writes the lock anew, and it is void no more.',
    open: one(new RenewalClears()),
    fails: 'a renewal keeps a void lock void',
    alsoFails: {},
  },
  {
    breaks: 'A void lock refuses its own owner only.',
    open: one(new BindsOwnerOnly()),
    fails: 'a stale owner cannot complete over the void lock of its successor, nor can the successor',
    alsoFails: {},
  },
  {
    breaks: 'replace does not see that a lock is void.',
    open: one(new ReplacesVoid()),
    fails: 'replace does not write over a void lock',
    alsoFails: {},
  },
  {
    breaks: '`replacing` takes void locks.',
    open: one(new ReplacingTakesVoid()),
    fails: 'with `replacing`, a void lock is not taken from its owner',
    alsoFails: {},
  },
  {
    breaks: 'A void lock cannot be released.',
    open: one(new CannotReleaseVoid()),
    fails: 'a release of a void lock frees the key, which then completes again',
    alsoFails: because(
      'it releases a void lock',
      'a lock of the same owner after the release is not void',
      'the release of a void lock wakes a watcher',
    ),
  },
  {
    breaks: 'An owner whose lock was forgotten once completes under no lock of its own any more.',
    open: one(new VoidForOwner()),
    fails: 'a lock of the same owner after the release is not void',
    alsoFails: {},
  },
  {
    breaks: 'That a lock is void is kept beside it, and outlives it.',
    open: one(new MarkOutlivesLock()),
    fails: 'once a void lock has lapsed, the key is absent and completes again',
    alsoFails: {},
  },
  {
    breaks: 'forget makes the lock last: SET without KEEPTTL.',
    open: one(new ForgetMovesLease()),
    fails: 'forget leaves the rest of the lease as it was, neither longer nor shorter',
    alsoFails: because(
      'it waits for a void lock to lapse',
      'once a void lock has lapsed, the key is absent and completes again',
    ),
  },
  {
    breaks: 'A void lock lapses soon, whatever its lease.',
    open: one(new ForgetShortens()),
    fails: 'forget leaves the rest of the lease as it was, neither longer nor shorter',
    alsoFails: {},
  },
  {
    breaks: 'Forgetting a void lock makes it an ordinary one again.',
    open: one(new Toggles()),
    fails: 'a void lock can be forgotten again and stays void',
    alsoFails: {},
  },
  {
    breaks: 'forget forgets every key that begins like the one it was given.',
    open: one(new ForgetsBeginnings()),
    fails: 'other keys are not forgotten with it',
    alsoFails: because(
      'it forgets a key with which that of another test begins, or looks at one',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a record that is forgotten is gone for every handle, and the key completes anew',
      'a record whose bytes look like a lock of its owner is a record to every command',
    ),
  },
  {
    breaks: 'The release of a void lock wakes nobody.',
    open: one(new SilentVoid()),
    fails: 'the release of a void lock wakes a watcher',
    alsoFails: {},
  },
]
