import type { Claim, Hint, Renewed, Watch } from '@idem/core/store'
import { type Broken, because, one, several } from './broken.js'
import { type Listener, PlainStore } from './plain-store.js'

class SilentRelease extends PlainStore {
  protected override hint(key: string, hint: Hint): void {
    if (hint.type !== 'ended') super.hint(key, hint)
  }
}

class SilentCompletion extends PlainStore {
  protected override hint(key: string, hint: Hint): void {
    if (hint.type !== 'settled') super.hint(key, hint)
  }
}

class SilentRenewal extends PlainStore {
  protected override hint(key: string, hint: Hint): void {
    if (hint.type !== 'held') super.hint(key, hint)
  }
}

class TellsRefusedRenewals extends PlainStore {
  override async renew(key: string, claim: Claim, leaseMs: number): Promise<Renewed> {
    const renewed = await super.renew(key, claim, leaseMs)
    if (renewed === 'lost' || renewed === 'completed') this.hint(key, { type: 'held', owner: claim.owner })
    return renewed
  }
}

class NamelessHints extends PlainStore {
  protected override hint(key: string, hint: Hint): void {
    super.hint(key, hint.type === 'missed' ? hint : { ...hint, owner: '' })
  }
}

class HintsToAll extends PlainStore {
  protected override hint(_key: string, hint: Hint): void {
    for (const key of this.shared.listeners.keys()) super.hint(key, hint)
  }
}

class HintsAtHome extends PlainStore {
  readonly #own = new Set<Listener>()
  override watch(key: string, listener: Listener): Watch {
    this.#own.add(listener)
    return super.watch(key, listener)
  }
  protected override hint(key: string, hint: Hint): void {
    for (const listener of this.shared.listeners.get(key) ?? []) if (this.#own.has(listener)) listener(hint)
  }
}

class NeverStops extends PlainStore {
  override watch(key: string, listener: Listener): Watch {
    const watch = super.watch(key, listener)
    return { ready: watch.ready, stop: () => {} }
  }
}

class LastWatcherOnly extends PlainStore {
  override watch(key: string, listener: Listener): Watch {
    this.shared.listeners.delete(key)
    return super.watch(key, listener)
  }
}

class StopsAll extends PlainStore {
  override watch(key: string, listener: Listener): Watch {
    const { ready } = super.watch(key, listener)
    return { ready, stop: () => void this.shared.listeners.delete(key) }
  }
}

class CountsStops extends PlainStore {
  readonly #watchers = new Map<string, number>()
  override watch(key: string, listener: Listener): Watch {
    this.#watchers.set(key, (this.#watchers.get(key) ?? 0) + 1)
    const { ready } = super.watch(key, listener)
    return {
      ready,
      stop: () => {
        this.#watchers.set(key, (this.#watchers.get(key) ?? 0) - 1)
        if (this.#watchers.get(key) === 0) this.shared.listeners.delete(key)
        else if (this.#watchers.get(key)! > 0) this.shared.listeners.get(key)?.delete(listener)
      },
    }
  }
}

class ReadyTooSoon extends PlainStore {
  override watch(key: string, listener: Listener): Watch {
    const timer = setTimeout(() => super.watch(key, listener), 100)
    return {
      ready: Promise.resolve(),
      stop: () => {
        clearTimeout(timer)
        this.shared.listeners.get(key)?.delete(listener)
      },
    }
  }
}

export const wake: Broken[] = [
  {
    breaks: 'A renewal tells nobody.',
    open: one(new SilentRenewal()),
    fails: 'a renewal tells a watcher that the owner is at work',
    alsoFails: because('it listens to a renewal', 'a renewal that takes the lock back tells the same'),
  },
  {
    breaks: 'A renewal that is refused is told as one that was made.',
    open: one(new TellsRefusedRenewals()),
    fails: 'a renewal that is refused tells no watcher anything',
    alsoFails: {},
  },
  {
    breaks: 'A release wakes nobody.',
    open: one(new SilentRelease()),
    fails: 'a release wakes a watcher and names the owner that gave up',
    alsoFails: because('it listens to a release', 'the release of a void lock wakes a watcher'),
  },
  {
    breaks: 'A completion wakes nobody.',
    open: one(new SilentCompletion()),
    fails: 'a completion wakes a watcher and names the owner whose record stands',
    alsoFails: {
      ...because(
        'it listens to a completion',
        'a hint reaches a watcher in another process',
        'a renewal that is refused tells no watcher anything',
        'a key can be watched again after the last watcher stopped',
        'a watcher of another key hears nothing',
        'after stop() nothing is heard',
        'stopping one watcher, even twice, leaves the other of the same key',
        'two watchers of one key both hear',
        'what happens right after `ready` is heard',
      ),
      ...because(
        'it listens to a record being written',
        'a replacement wakes a watcher and names the owner whose record stands now',
      ),
    },
  },
  {
    breaks: 'A hint does not say whose it is.',
    open: one(new NamelessHints()),
    fails: 'a completion wakes a watcher and names the owner whose record stands',
    alsoFails: because(
      'it waits for the hint of one owner',
      'a hint reaches a watcher in another process',
      'a renewal that is refused tells no watcher anything',
      'a renewal that takes the lock back tells the same',
      'a renewal tells a watcher that the owner is at work',
      'a key can be watched again after the last watcher stopped',
      'a release wakes a watcher and names the owner that gave up',
      'a watcher of another key hears nothing',
      'after stop() nothing is heard',
      'stopping one watcher, even twice, leaves the other of the same key',
      'two watchers of one key both hear',
      'what happens right after `ready` is heard',
      'a hint of few bytes carries them',
      'a large append is heard with all its bytes or none, and tail has them all',
      'a replacement wakes a watcher and names the owner whose record stands now',
      'an append is heard by watchers of its key: owner, offset, and the bytes where they are few',
      'the release of a void lock wakes a watcher',
    ),
  },
  {
    breaks: 'A hint goes to the watchers of every key.',
    open: one(new HintsToAll()),
    fails: 'a watcher of another key hears nothing',
    alsoFails: because(
      'it listens to another key as well',
      'an append is heard by watchers of its key: owner, offset, and the bytes where they are few',
    ),
  },
  {
    breaks: 'A hint stays in the process that caused it.',
    open: several(HintsAtHome),
    fails: 'a hint reaches a watcher in another process',
    alsoFails: because(
      'it acts in one process and listens in another',
      'after stop() nothing is heard',
      'what happens right after `ready` is heard',
      'a hint of few bytes carries them',
      'a large append is heard with all its bytes or none, and tail has them all',
      'a log that is followed by hints and tail is followed whole',
      'a replacement wakes a watcher and names the owner whose record stands now',
      'an append is heard by watchers of its key: owner, offset, and the bytes where they are few',
      'close() of one handle ends its watchers and no others',
    ),
  },
  {
    breaks: 'stop() stops nothing.',
    open: one(new NeverStops()),
    fails: 'after stop() nothing is heard',
    alsoFails: {},
  },
  {
    breaks: 'A key has one watcher; a second takes its place.',
    open: one(new LastWatcherOnly()),
    fails: 'two watchers of one key both hear',
    alsoFails: {},
  },
  {
    breaks: 'stop() stops every watcher of the key.',
    open: one(new StopsAll()),
    fails: 'stopping one watcher, even twice, leaves the other of the same key',
    alsoFails: {
      ...because(
        'the watcher that shows that a hint went out is stopped too',
        'after stop() nothing is heard',
      ),
      ...because(
        'the first watcher stops a second time, and with it the one that came after',
        'a key can be watched again after the last watcher stopped',
      ),
    },
  },
  {
    breaks: 'Watchers of a key are counted, and one that stops twice counts twice.',
    open: one(new CountsStops()),
    fails: 'stopping one watcher, even twice, leaves the other of the same key',
    alsoFails: {
      'a key can be watched again after the last watcher stopped':
        'the first watcher stops a second time, and the one that came after is not counted',
    },
  },
  {
    breaks: '`ready` resolves before the subscription stands.',
    open: one(new ReadyTooSoon()),
    fails: 'what happens right after `ready` is heard',
    alsoFails: because(
      'it counts on what happens right after `ready`',
      'a renewal that is refused tells no watcher anything',
      'a renewal that takes the lock back tells the same',
      'a renewal tells a watcher that the owner is at work',
      'a completion wakes a watcher and names the owner whose record stands',
      'a hint reaches a watcher in another process',
      'a key can be watched again after the last watcher stopped',
      'a release wakes a watcher and names the owner that gave up',
      'a watcher of another key hears nothing',
      'after stop() nothing is heard',
      'stopping one watcher, even twice, leaves the other of the same key',
      'two watchers of one key both hear',
      'a hint of few bytes carries them',
      'a large append is heard with all its bytes or none, and tail has them all',
      'a log that is followed by hints and tail is followed whole',
      'a replacement wakes a watcher and names the owner whose record stands now',
      'an append is heard by watchers of its key: owner, offset, and the bytes where they are few',
      'the release of a void lock wakes a watcher',
    ),
  },
]
