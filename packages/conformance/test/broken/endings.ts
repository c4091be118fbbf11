import { type Broken, because, one } from './broken.js'
import { PlainStore } from './plain-store.js'

class EndingOfTheKey extends PlainStore {
  override end(key: string, _owner: string, ending: Uint8Array, ms: number): Promise<void> {
    return super.end(key, '', ending, ms)
  }
  override ending(key: string, _owner: string): Promise<Uint8Array | undefined> {
    return super.ending(key, '')
  }
}

class EndingOfTheOwner extends PlainStore {
  override end(_key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    return super.end('', owner, ending, ms)
  }
  override ending(_key: string, owner: string): Promise<Uint8Array | undefined> {
    return super.ending('', owner)
  }
}

class OneEndingAKey extends PlainStore {
  readonly #owners = new Map<string, string>()
  override end(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    this.#owners.set(key, owner)
    return super.end(key, owner, ending, ms)
  }
  override async ending(key: string, owner: string): Promise<Uint8Array | undefined> {
    return this.#owners.get(key) === owner ? super.ending(key, owner) : undefined
  }
}

class EndingReadOnce extends PlainStore {
  override async ending(key: string, owner: string): Promise<Uint8Array | undefined> {
    const ending = await super.ending(key, owner)
    this.shared.endings.delete(`${key} ${owner}`)
    return ending
  }
}

class EndingGoesWithLock extends PlainStore {
  override async release(key: string, owner: string): Promise<boolean> {
    this.shared.endings.delete(`${key} ${owner}`)
    return super.release(key, owner)
  }
}

class EndingReleases extends PlainStore {
  override async end(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    await super.end(key, owner, ending, ms)
    await super.release(key, owner)
  }
}

class EmptyEndingIsNone extends PlainStore {
  override async ending(key: string, owner: string): Promise<Uint8Array | undefined> {
    const ending = await super.ending(key, owner)
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
