import type { AcquireOptions, Claim, Completed, Found, Renewed } from '@idem/core/store'
import { type Broken, because, one } from './broken.js'
import { type Entry, type Holder, PlainStore } from './plain-store.js'

class Text extends PlainStore {
  protected override keep(bytes: Uint8Array): Uint8Array {
    return Buffer.from(Buffer.from(bytes).toString('utf8'), 'utf8')
  }
}

class EmptyRecordIsNone extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const completed = await super.once(key, claim, bytes, ttlMs)
    if (completed.state === 'stored' && bytes.byteLength === 0) this.shared.entries.delete(key)
    return completed
  }
}

class EmptyReplacingIsNone extends PlainStore {
  override acquire(key: string, claim: Claim, leaseMs: number, options?: AcquireOptions): Promise<Found> {
    return super.acquire(key, claim, leaseMs, options?.replacing?.byteLength ? options : {})
  }
}

class Signed extends PlainStore {
  protected override keep(bytes: Uint8Array): Uint8Array {
    return bytes.map((byte) => (byte === 0xff ? 0xfe : byte))
  }
}

class FirstLine extends PlainStore {
  protected override keep(bytes: Uint8Array): Uint8Array {
    return Buffer.from(Buffer.from(bytes).toString('latin1').split('\n')[0]!, 'latin1')
  }
}

class GuessesKind extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const found = await super.acquire(key, claim, leaseMs, options)
    if (found.state !== 'completed') return found
    const [mark, owner, fingerprint] = Buffer.from(found.record.bytes).toString('latin1').split(' ')
    return mark === 'L' && owner && fingerprint ? { state: 'locked', owner, fingerprint } : found
  }
}

class GuessesByEnd extends PlainStore {
  override async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    const there = this.at(key)
    const end = there?.kind === 'record' ? Buffer.from(there.bytes).toString('latin1') : ''
    return end.endsWith(`${claim.owner} ${claim.fingerprint}`) ? 'held' : super.renew(key, claim, leaseMs)
  }
}

class OneMiB extends PlainStore {
  protected override keep(bytes: Uint8Array): Uint8Array {
    return new Uint8Array(bytes.subarray(0, 1024 * 1024))
  }
}

class WholeBuffer extends PlainStore {
  protected override keep(bytes: Uint8Array): Uint8Array {
    return Buffer.isBuffer(bytes) ? new Uint8Array(bytes) : new Uint8Array(bytes.buffer.slice(0))
  }
}

class KeepsCallersBuffer extends PlainStore {
  protected override keep(bytes: Uint8Array): Uint8Array {
    return bytes
  }
}

class GivesItsOwnBuffer extends PlainStore {
  protected override give({ owner, fingerprint, storedAtMs, bytes }: Entry) {
    return { owner, fingerprint, storedAtMs, bytes }
  }
}

class ShortNames extends PlainStore {
  protected override lock(key: string, holder: Holder, leaseMs: number): void {
    const { owner, fingerprint } = holder
    super.lock(key, { ...holder, owner: owner.slice(0, 48), fingerprint: fingerprint.slice(0, 48) }, leaseMs)
  }
}

export const values: Broken[] = [
  {
    breaks: 'Bytes pass through text.',
    open: one(new Text()),
    fails: 'bytes that are not UTF-8 come back',
    alsoFails: because(
      'its bytes are no text either',
      'eight MiB come back',
      'every byte value comes back',
      'a large append is heard with all its bytes or none, and tail has them all',
      'every byte value comes back from a log',
      'every byte value comes back from a replacement, and so do none',
    ),
  },
  {
    breaks: 'A record of no bytes is taken for none.',
    open: one(new EmptyRecordIsNone()),
    fails: 'a record of no bytes is a record',
    alsoFails: {},
  },
  {
    breaks: '`replacing` of no bytes is taken for none.',
    open: one(new EmptyReplacingIsNone()),
    fails: 'a record of no bytes can be replaced',
    alsoFails: {},
  },
  {
    breaks: 'One byte value is lost.',
    open: one(new Signed()),
    fails: 'every byte value comes back',
    alsoFails: because(
      'the byte is among its bytes',
      'bytes that are not UTF-8 come back',
      'eight MiB come back',
      'a large append is heard with all its bytes or none, and tail has them all',
      'every byte value comes back from a log',
      'every byte value comes back from a replacement, and so do none',
    ),
  },
  {
    breaks: 'A record ends at its first line end.',
    open: one(new FirstLine()),
    fails: 'line ends and zeros come back',
    alsoFails: {
      ...because(
        'a line end is among its bytes',
        'bytes that look like what a store writes itself come back',
        'eight MiB come back',
        'every byte value comes back',
      ),
      ...because(
        'the record of an idem has a line end before the answer, or there is one among its bytes',
        'a completion that never arrived is stored later, before another makes the call again',
        'a large append is heard with all its bytes or none, and tail has them all',
        'a log that is followed by hints and tail is followed whole',
        'a release that never arrived: waiters are told how it ended, and do not make the call again',
        'an acquire that never arrived is made up for: the answer is stored all the same',
        'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer',
        'commands that arrive late find what was settled meanwhile, and leave it',
        'every byte value comes back from a log',
        'every byte value comes back from a replacement, and so do none',
        'hints are doubled: they wake, and change nothing',
        'hints are lost: waiters find the answer by looking, and do not make the call',
        'nothing goes wrong: duplicates in two processes cost one execution, and later ones none',
        'renewals whose replies are lost hold the lock',
        'the reply to a completion is lost: the answer stands, also when it is sent once more',
        'the reply to an acquire is lost: the lock is found to be one’s own, and one execution is made',
      ),
    },
  },
  {
    breaks: 'What stands is told by looking at the bytes of the caller.',
    open: one(new GuessesKind()),
    fails: 'bytes that look like what a store writes itself come back',
    alsoFails: because(
      'the bytes of the caller look like a lock',
      'a record whose bytes look like a lock of its owner is a record to every command',
    ),
  },
  {
    breaks: 'Whose lock stands is looked for at the end of what is kept, also where that is a record.',
    open: one(new GuessesByEnd()),
    fails: 'a record whose bytes look like a lock of its owner is a record to every command',
    alsoFails: {},
  },
  {
    breaks: 'Bytes after the first MiB are dropped.',
    open: one(new OneMiB()),
    fails: 'eight MiB come back',
    alsoFails: {},
  },
  {
    breaks: 'The buffer behind a view is stored whole.',
    open: one(new WholeBuffer()),
    fails: 'a view of a larger buffer is stored and compared as what it shows',
    alsoFails: because(
      'it appends a view of a larger buffer',
      'a view of a larger buffer is appended as what it shows',
    ),
  },
  {
    breaks: 'The buffer of the caller is kept, not copied.',
    open: one(new KeepsCallersBuffer()),
    fails: 'what the caller does to its buffer afterwards does not change what was stored',
    alsoFails: {},
  },
  {
    breaks: 'Every reader of a record is given the same buffer.',
    open: one(new GivesItsOwnBuffer()),
    fails: 'what one reader does to the bytes it was given does not change what the next is given',
    alsoFails: because(
      'it changes the bytes it read',
      'what a reader does to the bytes it read does not change the record',
    ),
  },
  {
    breaks: 'Owners and fingerprints are cut after 48 characters.',
    open: one(new ShortNames()),
    fails: 'names of one letter and of sixty-four are kept whole',
    alsoFails: because(
      'its names are longer',
      'owners and fingerprints may be as short, as long and as pointed as keys',
    ),
  },
]
