import type { AcquireOptions, Claim, Found } from '@idem/core/store'
import { type Broken, because, one } from './broken.js'
import { PlainStore } from './plain-store.js'

class NeverReplaces extends PlainStore {
  override acquire(key: string, claim: Claim, leaseMs: number): Promise<Found> {
    return super.acquire(key, claim, leaseMs)
  }
}

class ReplacesAnything extends PlainStore {
  protected override same(): boolean {
    return true
  }
}

class ReplacesLocks extends PlainStore {
  override acquire(key: string, claim: Claim, leaseMs: number, options?: AcquireOptions): Promise<Found> {
    if (options?.replacing && this.at(key)?.kind === 'lock') this.shared.entries.delete(key)
    return super.acquire(key, claim, leaseMs, options)
  }
}

class ReplacesOnlyRecords extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    if (options?.replacing && !this.at(key)) return { state: 'locked', owner: '', fingerprint: '' }
    return super.acquire(key, claim, leaseMs, options)
  }
}

class ComparesThenReplaces extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const there = this.at(key)
    if (there?.kind === 'record' && options?.replacing && this.same(there.bytes, options.replacing)) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      this.shared.entries.delete(key)
    }
    return super.acquire(key, claim, leaseMs)
  }
}

/** Mistakes with `acquire(…, { replacing })`. */
export const replacing: Broken[] = [
  {
    breaks: '`replacing` is ignored.',
    open: one(new NeverReplaces()),
    fails: 'with `replacing`, a record of exactly those bytes gives way to a lock',
    alsoFails: because(
      'it replaces a record',
      'a record of no bytes can be replaced',
      'a record that gave way to a lock does not come back when the lock lapses',
      'a view of a larger buffer is stored and compared as what it shows',
      'of twenty that replace one record at once, one gets the lock',
    ),
  },
  {
    breaks: '`replacing` replaces whatever record stands.',
    open: one(new ReplacesAnything()),
    fails: 'with `replacing`, a record of any other bytes stays',
    alsoFails: because(
      'it replaces a record of other bytes',
      'a record of another fingerprint is reported with the one it has',
    ),
  },
  {
    breaks: '`replacing` replaces locks as well.',
    open: one(new ReplacesLocks()),
    fails: 'with `replacing`, a lock is not taken from its owner',
    alsoFails: {
      'of twenty that replace one record at once, one gets the lock':
        'the lock of the one that replaced first is replaced by the others',
      ...because(
        'it asks for a lock with `replacing`',
        'a lock of another fingerprint is reported with the one it has',
        'with `replacing`, a void lock is not taken from its owner',
      ),
    },
  },
  {
    breaks: '`replacing` gives no lock where there is nothing to replace.',
    open: one(new ReplacesOnlyRecords()),
    fails: 'with `replacing`, an absent key is locked like any other',
    alsoFails: {},
  },
  {
    breaks: '`replacing` compares first and replaces a moment later.',
    open: one(new ComparesThenReplaces()),
    fails: 'of twenty that replace one record at once, one gets the lock',
    alsoFails: {},
  },
]
