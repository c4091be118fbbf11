import type { Claim, Completed } from '@idem/core/store'
import { type Broken, because, one, several } from './broken.js'
import { PlainStore } from './plain-store.js'

class LastWins extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    if (this.refuses(this.at(key), claim)) return { state: 'refused' }
    this.write(key, claim, bytes, ttlMs)
    return { state: 'stored' }
  }
}

class OwnRecordRefused extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const completed = await super.once(key, claim, bytes, ttlMs)
    const own = completed.state === 'standing' && completed.record.owner === claim.owner
    return own ? { state: 'refused' } : completed
  }
}

class OnlyWithLease extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const lapsed = !this.at(key) && this.shared.entries.get(key)?.kind === 'lock'
    return lapsed ? { state: 'refused' } : super.once(key, claim, bytes, ttlMs)
  }
}

class OnlyOverOwnLock extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const there = this.at(key)
    if (there?.kind === 'lock' && there.owner !== claim.owner) return { state: 'refused' }
    return super.once(key, claim, bytes, ttlMs)
  }
}

class AnyFingerprint extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    return super.once(
      key,
      { ...claim, fingerprint: this.at(key)?.fingerprint ?? claim.fingerprint },
      bytes,
      ttlMs,
    )
  }
}

class GetThenSet extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    if (this.at(key)) return super.once(key, claim, bytes, ttlMs)
    await new Promise<void>((resolve) => setImmediate(resolve))
    this.write(key, claim, bytes, ttlMs)
    return { state: 'stored' }
  }
}

export const complete: Broken[] = [
  {
    breaks: 'The last completion wins.',
    open: one(new LastWins()),
    fails: 'the first completion wins, and a second is given the first record',
    alsoFails: {
      ...because(
        'it reads the standing record by completing a second time',
        'a record of no bytes is a record',
        'bytes that are not UTF-8 come back',
        'bytes that look like what a store writes itself come back',
        'every byte value comes back',
        'line ends and zeros come back',
        'what one reader does to the bytes it was given does not change what the next is given',
      ),
      ...because(
        'it completes a key twice',
        'a completion over the lock of a successor is stored, and the successor learns of it',
        'a second completion neither lengthens nor shortens the life of the first',
        'an owner that completes twice is given its own record',
        'of twenty completions at once one is stored, and the others are given it',
      ),
      ...because(
        'it reads the standing record by completing a second time',
        'the new record stands: a completion is given it',
      ),
    },
  },
  {
    breaks: 'An owner whose completion was stored but whose reply was lost is refused when it asks again.',
    open: one(new OwnRecordRefused()),
    fails: 'an owner that completes twice is given its own record',
    alsoFails: {},
  },
  {
    breaks: 'A completion after the lease lapsed is thrown away, though nobody else has the key.',
    open: one(new OnlyWithLease()),
    fails: 'a completion whose lease has lapsed is stored',
    alsoFails: because(
      'it completes a key whose lock has lapsed',
      'once a void lock has lapsed, the key is absent and completes again',
      'once the lock has lapsed or was released, another request has the key',
    ),
  },
  {
    breaks: 'A completion over the lock of a successor is thrown away.',
    open: one(new OnlyOverOwnLock()),
    fails: 'a completion over the lock of a successor is stored, and the successor learns of it',
    alsoFails: {},
  },
  {
    breaks: 'A completion does not look at fingerprints.',
    open: one(new AnyFingerprint()),
    fails: 'a completion is refused over a lock of another fingerprint, and changes nothing',
    alsoFails: {
      'a completion is refused over a record of another fingerprint, and changes nothing':
        'it completes over another fingerprint, a record this time',
      ...because(
        'it completes over another fingerprint',
        'a refused completion is told nothing of the record that stands, and does not wear it down',
        'fingerprints are compared to the letter',
        'of two requests that complete at once under one key, one is stored and the other refused',
        'the owner of a lock cannot complete or replace it as another request',
      ),
    },
  },
  {
    breaks: 'A completion looks at the key first and writes a moment later.',
    open: several(GetThenSet),
    fails: 'of twenty completions at once one is stored, and the others are given it',
    alsoFails: because(
      'two requests complete at once',
      'of two requests that complete at once under one key, one is stored and the other refused',
    ),
    mayFail: {
      'an acquire that never arrived is made up for: the answer is stored all the same':
        'only if the other idem looks in that moment',
    },
  },
]
