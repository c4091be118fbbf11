import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim, Completed, Hint, StoredRecord } from '@idem/core/store'
import { type Broken, because, one, several } from './broken.js'
import { PlainStore } from './plain-store.js'

type Replace = [key: string, claim: Claim, bytes: Uint8Array, ttlMs: number]

class KeepsOldBytes extends PlainStore {
  override async over(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    const there = this.at(key)
    return super.over(key, claim, there?.kind === 'record' ? there.bytes : bytes, ttlMs)
  }
}

class KeepsOldTime extends PlainStore {
  override async over(...args: Replace): Promise<boolean> {
    const before = this.at(args[0])
    const replaced = await super.over(...args)
    const there = this.at(args[0])
    if (replaced && before?.kind === 'record' && there?.kind === 'record') {
      this.shared.entries.set(args[0], { ...there, storedAtMs: before.storedAtMs })
    }
    return replaced
  }
}

class FirstForCompletions extends PlainStore {
  readonly #first = new Map<string, StoredRecord>()
  override async over(...args: Replace): Promise<boolean> {
    const there = this.at(args[0])
    if (there?.kind === 'record') this.#first.set(args[0], this.give(there))
    return super.over(...args)
  }
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const completed = await super.once(key, claim, bytes, ttlMs)
    const first = this.#first.get(key)
    return completed.state === 'standing' && first ? { ...completed, record: first } : completed
  }
}

class KeepsLongerLife extends PlainStore {
  override over(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    const there = this.at(key)
    const left = there?.kind === 'record' ? there.expiresAt - this.now() : 0
    return super.over(key, claim, bytes, Math.max(left, ttlMs))
  }
}

class KeepsOldLife extends PlainStore {
  override over(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    const there = this.at(key)
    return super.over(key, claim, bytes, there?.kind === 'record' ? there.expiresAt - this.now() : ttlMs)
  }
}

class NeverOnAbsent extends PlainStore {
  override async over(...args: Replace): Promise<boolean> {
    return this.at(args[0]) ? super.over(...args) : false
  }
}

class NeverOverLocks extends PlainStore {
  override async over(...args: Replace): Promise<boolean> {
    return this.at(args[0])?.kind === 'lock' ? false : super.over(...args)
  }
}

class AlwaysMovesLife extends PlainStore {
  override async over(...args: Replace): Promise<boolean> {
    const replaced = await super.over(...args)
    const there = this.at(args[0])
    if (there) this.shared.entries.set(args[0], { ...there, expiresAt: this.now() + args[3] })
    return replaced
  }
}

class ReplacesWithText extends PlainStore {
  override over(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    return super.over(key, claim, Buffer.from(Buffer.from(bytes).toString('utf8')), ttlMs)
  }
}

class HeadThenBytes extends PlainStore {
  #count = 0
  override async over(...args: Replace): Promise<boolean> {
    const [key, , bytes] = args
    if (!(await super.over(...args))) return false
    // The one that comes last is not the one that is done last.
    await sleep(this.#count++ % 2 ? 1 : 8)
    const there = this.at(key)
    if (there?.kind === 'record') this.shared.entries.set(key, { ...there, bytes: this.keep(bytes) })
    return true
  }
}

class SilentReplace extends PlainStore {
  #silent = false
  override async over(...args: Replace): Promise<boolean> {
    this.#silent = true
    const replaced = super.over(...args)
    this.#silent = false
    return replaced
  }
  protected override hint(key: string, hint: Hint): void {
    if (!this.#silent) super.hint(key, hint)
  }
}

export const replace: Broken[] = [
  {
    breaks: 'replace says that it wrote, but keeps the bytes that stood.',
    open: one(new KeepsOldBytes()),
    fails: 'a record gives way to the new one of the same fingerprint, for every handle',
    alsoFails: because(
      'it looks at the bytes that replaced others',
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'every byte value comes back from a replacement, and so do none',
      'of twenty replacements at once every one is written, and a whole one stands',
      'the new record lives as long as it was given, be it longer',
      'the new record lives as long as it was given, be it shorter',
      'the new record stands: a completion is given it',
      'the new record tells when it was stored itself',
    ),
  },
  {
    breaks: 'A replacement keeps the time of the record that stood.',
    open: one(new KeepsOldTime()),
    fails: 'the new record tells when it was stored itself',
    alsoFails: {},
  },
  {
    breaks: 'A completion is given the record that was replaced.',
    open: one(new FirstForCompletions()),
    fails: 'the new record stands: a completion is given it',
    alsoFails: {},
  },
  {
    breaks: 'A replacement lives as long as the record that stood, if that is longer.',
    open: one(new KeepsLongerLife()),
    fails: 'the new record lives as long as it was given, be it shorter',
    alsoFails: {},
  },
  {
    breaks: 'A replacement lives as long as was left of the record that stood.',
    open: one(new KeepsOldLife()),
    fails: 'the new record lives as long as it was given, be it longer',
    alsoFails: because(
      'the record that stood lives longer',
      'the new record lives as long as it was given, be it shorter',
    ),
  },
  {
    breaks: 'Where nothing stands, replace writes nothing.',
    open: one(new NeverOnAbsent()),
    fails: 'on an absent key the record is written',
    alsoFails: because(
      'it begins with a replacement on an absent key',
      'every byte value comes back from a replacement, and so do none',
    ),
  },
  {
    breaks: 'replace does not write over locks.',
    open: one(new NeverOverLocks()),
    fails: 'over a lock of the same fingerprint the record is written, and the holder learns of it',
    alsoFails: {},
  },
  {
    breaks: 'A replacement that is not written sets the life of what stands.',
    open: one(new AlwaysMovesLife()),
    fails: 'a replacement that is not written leaves the life of what stands',
    alsoFails: {},
  },
  {
    breaks: 'Bytes that replace pass through text.',
    open: one(new ReplacesWithText()),
    fails: 'every byte value comes back from a replacement, and so do none',
    alsoFails: {},
  },
  {
    breaks: 'A replacement writes whose it is first, and the bytes a moment later.',
    open: several(HeadThenBytes),
    fails: 'of twenty replacements at once every one is written, and a whole one stands',
    alsoFails: {},
  },
  {
    breaks: 'A replacement wakes nobody.',
    open: one(new SilentReplace()),
    fails: 'a replacement wakes a watcher and names the owner whose record stands now',
    alsoFails: because('it listens to a replacement', 'a renewal that is refused tells no watcher anything'),
  },
]
