import type { Read } from '@idem/core/store'
import { type Broken, because, one, several } from './broken.js'
import { PlainStore } from './plain-store.js'

class ReadTakes extends PlainStore {
  override async read(key: string): Promise<Read> {
    const found = await super.read(key)
    if (found.state === 'absent') this.lock(key, { owner: 'reader', fingerprint: 'reader' }, 50)
    return found
  }
}

class ReadsRecordsOnly extends PlainStore {
  override async read(key: string): Promise<Read> {
    const found = await super.read(key)
    return found.state === 'locked' ? { state: 'absent' } : found
  }
}

class ReadsAnotherTime extends PlainStore {
  override async read(key: string): Promise<Read> {
    const found = await super.read(key)
    if (found.state !== 'completed') return found
    const { storedAtMs } = found.record
    return { ...found, record: { ...found.record, storedAtMs: Math.floor(storedAtMs / 1000) } }
  }
}

class ReadsTombstones extends PlainStore {
  readonly #released = new Map<string, Read>()
  override async release(key: string, owner: string): Promise<boolean> {
    const there = await super.read(key)
    const released = await super.release(key, owner)
    if (released) this.#released.set(key, there)
    return released
  }
  override async read(key: string): Promise<Read> {
    const found = await super.read(key)
    return found.state === 'absent' ? (this.#released.get(key) ?? found) : found
  }
}

class RemembersAbsence extends PlainStore {
  readonly #absent = new Set<string>()
  override async read(key: string): Promise<Read> {
    if (this.#absent.has(key)) return { state: 'absent' }
    const found = await super.read(key)
    if (found.state === 'absent') this.#absent.add(key)
    return found
  }
  override acquire(...args: Parameters<PlainStore['acquire']>) {
    this.#absent.delete(args[0])
    return super.acquire(...args)
  }
  override once(...args: Parameters<PlainStore['once']>) {
    this.#absent.delete(args[0])
    return super.once(...args)
  }
  override over(...args: Parameters<PlainStore['over']>) {
    this.#absent.delete(args[0])
    return super.over(...args)
  }
}

class ReadKeepsAlive extends PlainStore {
  protected readonly kind: 'lock' | 'record' = 'lock'
  override async read(key: string): Promise<Read> {
    const there = this.at(key)
    if (there?.kind === this.kind)
      this.shared.entries.set(key, { ...there, expiresAt: this.now() + 86_400_000 })
    return super.read(key)
  }
}

class ReadKeepsRecords extends ReadKeepsAlive {
  protected override readonly kind = 'record'
}

class ReadGivesItsOwn extends PlainStore {
  override async read(key: string): Promise<Read> {
    const there = this.at(key)
    if (there?.kind !== 'record') return super.read(key)
    const { owner, fingerprint, storedAtMs, bytes } = there
    return { state: 'completed', record: { owner, fingerprint, storedAtMs, bytes } }
  }
}

export const read: Broken[] = [
  {
    breaks: 'Who reads an absent key takes it for a moment.',
    open: one(new ReadTakes()),
    fails: 'an absent key reads as absent, and is still free',
    alsoFails: because(
      'it reads a key that is absent',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a lock that is read lapses when it would have',
      'a record that is forgotten is gone for every handle, and the key completes anew',
      'a release of a void lock frees the key, which then completes again',
      'on an absent key there is nothing to forget, and the key stays free',
      'once a void lock has lapsed, the key is absent and completes again',
      'what one process writes is read in another',
    ),
  },
  {
    breaks: 'Only records can be read.',
    open: one(new ReadsRecordsOnly()),
    fails: 'a locked key reads as locked, with owner and fingerprint',
    alsoFails: because(
      'it reads a lock',
      '`-` and `_` at the ends of a key belong to it',
      'a completion over a void lock is refused, in another process too, and the lock stays',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a lock of another fingerprint is reported with the one it has',
      'a lock that is forgotten is still its owner’s: it is reported, renewed and met by others',
      'a lock that is read lapses when it would have',
      'a log needs no lock and changes neither lock nor record',
      'a report leaves the key of its board’s name alone: lock, record, ending and log',
      'a stale owner cannot complete over the void lock of its successor, nor can the successor',
      'a void lock can be forgotten again and stays void',
      'every character of base64url is one of its own',
      'fingerprints are compared to the letter',
      'forget leaves the rest of the lease as it was, neither longer nor shorter',
      'owners and fingerprints may be as short, as long and as pointed as keys',
      'replace does not write over a lock of another fingerprint',
      'replace does not write over a void lock',
      'the owner of a lock cannot complete or replace it as another request',
      'what one process writes is read in another',
    ),
  },
  {
    breaks: 'A record that is read tells when it was stored in seconds.',
    open: one(new ReadsAnotherTime()),
    fails: 'a completed key reads as the very record that acquire gives',
    alsoFails: {},
    mayFail: {
      'the new record tells when it was stored itself': 'unless the second changes between the two records',
    },
  },
  {
    breaks: 'A released lock can still be read.',
    open: one(new ReadsTombstones()),
    fails: 'a released key reads as absent',
    alsoFails: because(
      'it reads a key after the release',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a release of a void lock frees the key, which then completes again',
    ),
  },
  {
    breaks: 'What one handle read as absent it takes for absent until it writes there itself.',
    open: several(RemembersAbsence),
    fails: 'what one process writes is read in another',
    alsoFails: {},
  },
  {
    breaks: 'A lock that is read is held for a day.',
    open: one(new ReadKeepsAlive()),
    fails: 'a lock that is read lapses when it would have',
    alsoFails: because(
      'it reads a lock until it lapses',
      'forget leaves the rest of the lease as it was, neither longer nor shorter',
    ),
  },
  {
    breaks: 'A record that is read by read() lives anew.',
    open: one(new ReadKeepsRecords()),
    fails: 'a record that is read expires when it would have',
    alsoFails: because(
      'it reads a record until it expires',
      'a replacement that is not written leaves the life of what stands',
      'the new record lives as long as it was given, be it shorter',
    ),
  },
  {
    breaks: 'read gives every reader the same buffer.',
    open: one(new ReadGivesItsOwn()),
    fails: 'what a reader does to the bytes it read does not change the record',
    alsoFails: {},
  },
]
