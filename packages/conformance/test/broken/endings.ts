import { type Broken, because, one } from './broken.js'
import { PlainStore } from './plain-store.js'

class EndingOfTheKey extends PlainStore {
  override leaveNote(key: string, _owner: string, ending: Uint8Array, ms: number): Promise<void> {
    return super.leaveNote(key, '', ending, ms)
  }
  override readNote(key: string, _owner: string): Promise<Uint8Array | undefined> {
    return super.readNote(key, '')
  }
}

class EndingOfTheOwner extends PlainStore {
  override leaveNote(_key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    return super.leaveNote('', owner, ending, ms)
  }
  override readNote(_key: string, owner: string): Promise<Uint8Array | undefined> {
    return super.readNote('', owner)
  }
}

class OneEndingAKey extends PlainStore {
  readonly #owners = new Map<string, string>()
  override leaveNote(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    this.#owners.set(key, owner)
    return super.leaveNote(key, owner, ending, ms)
  }
  override async readNote(key: string, owner: string): Promise<Uint8Array | undefined> {
    return this.#owners.get(key) === owner ? super.readNote(key, owner) : undefined
  }
}

class EndingReadOnce extends PlainStore {
  override async readNote(key: string, owner: string): Promise<Uint8Array | undefined> {
    const ending = await super.readNote(key, owner)
    this.shared.notes.delete(`${key} ${owner}`)
    return ending
  }
}

class EndingGoesWithLock extends PlainStore {
  override async release(key: string, owner: string): Promise<boolean> {
    this.shared.notes.delete(`${key} ${owner}`)
    return super.release(key, owner)
  }
}

class EndingReleases extends PlainStore {
  override async leaveNote(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    await super.leaveNote(key, owner, ending, ms)
    await super.release(key, owner)
  }
}

class EmptyEndingIsNone extends PlainStore {
  override async readNote(key: string, owner: string): Promise<Uint8Array | undefined> {
    const ending = await super.readNote(key, owner)
    return ending?.byteLength ? ending : undefined
  }
}

export const endings: Broken[] = [
  {
    breaks: 'An ending is kept under the key alone: whoever asks finds it.',
    open: one(new EndingOfTheKey()),
    fails: 'an ending is not found under another owner',
    alsoFails: {
      'endings of several owners of one key stand side by side': 'two owners of one key leave an ending each',
    },
  },
  {
    breaks: 'An ending is kept under the owner alone.',
    open: one(new EndingOfTheOwner()),
    fails: 'an ending is not found under another key',
    alsoFails: {},
  },
  {
    breaks: 'A key keeps its last ending only.',
    open: one(new OneEndingAKey()),
    fails: 'endings of several owners of one key stand side by side',
    alsoFails: {},
  },
  {
    breaks: 'An ending is gone once somebody read it.',
    open: one(new EndingReadOnce()),
    fails: 'an ending left before the release is there after it, for every waiter that asks',
    alsoFails: because(
      'it reads an ending twice',
      'an ending is found under the owner that left it, in another process too',
      'an ending is there for its time and gone after it',
      'what one reader does to the bytes it was given does not change what the next is given',
    ),
  },
  {
    breaks: 'An ending goes with the lock.',
    open: one(new EndingGoesWithLock()),
    fails: 'an ending left before the release is there after it, for every waiter that asks',
    alsoFails: {},
  },
  {
    breaks: 'An ending gives the lock up.',
    open: one(new EndingReleases()),
    fails: 'an ending changes neither lock nor record',
    alsoFails: {
      'an ending left before the release is there after it, for every waiter that asks':
        'there is no lock left for the release that follows the ending',
      ...because(
        'it leaves an ending under a lock that it releases later',
        'a key may be 64 characters, and all of them count',
        'a key may be `-` or `_` alone, or end in them on both sides',
        'a key may be one character, a letter or a digit',
      ),
    },
  },
  {
    breaks: 'An ending of no bytes is taken for none.',
    open: one(new EmptyEndingIsNone()),
    fails: 'an empty ending is an ending',
    alsoFails: { 'a record of no bytes is a record': 'it takes the same bytes through an ending' },
  },
]
