import type { AcquireOptions, Claim, Completed, Found, Watch } from '@idem/core/store'
import { type Broken, because, one, several } from './broken.js'
import { type Listener, PlainStore } from './plain-store.js'

class ForgetsTokens extends PlainStore {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const found = await super.acquire(key, claim, leaseMs, options)
    return found.state === 'locked' && found.owner === claim.owner ? { ...found, owner: 'someone' } : found
  }
}

class OnlyUnderLock extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    return this.shared.entries.has(key) ? super.once(key, claim, bytes, ttlMs) : { state: 'refused' }
  }
}

class CleansDoubles extends PlainStore {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    const completed = await super.once(key, claim, bytes, ttlMs)
    const own = completed.state === 'standing' && completed.record.owner === claim.owner
    if (own) this.shared.entries.delete(key)
    return completed
  }
}

class EndingLapsesWithLock extends PlainStore {
  override leaveNote(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    const there = this.at(key)
    const own = there?.kind === 'lock' && there.owner === owner
    return super.leaveNote(key, owner, ending, own ? there.expiresAt - this.now() : ms)
  }
}

class AnswersWatchersFromMemory extends PlainStore {
  readonly #seen = new Map<string, Found>()
  override watch(key: string, listener: Listener): Watch {
    const watch = super.watch(key, (hint) => {
      if (hint.type !== 'held') this.#seen.delete(key)
      listener(hint)
    })
    this.#watched.add(key)
    const stop = () => {
      this.#watched.delete(key)
      this.#seen.delete(key)
      watch.stop()
    }
    return { ready: watch.ready, stop }
  }
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const seen = this.#seen.get(key)
    if (seen) return seen
    const found = await super.acquire(key, claim, leaseMs, options)
    if (found.state === 'locked' && this.#watched.has(key)) this.#seen.set(key, found)
    return found
  }
  readonly #watched = new Set<string>()
}

class GivesInToAsking extends PlainStore {
  readonly #asked = new Map<string, number>()
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const found = await super.acquire(key, claim, leaseMs, options)
    if (found.state !== 'locked') return found
    const name = `${key} ${claim.owner}`
    const times = (this.#asked.get(name) ?? 0) + 1
    this.#asked.set(name, times)
    if (times < 4) return found
    this.lock(key, claim, leaseMs)
    return { state: 'acquired' }
  }
}

/** Mistakes that cost a second call when something goes wrong on the way. */
export const faults: Broken[] = [
  {
    breaks: 'Who asks for a lock it has already is told that somebody has it.',
    open: one(new ForgetsTokens()),
    fails: 'the reply to an acquire is lost: the lock is found to be one’s own, and one execution is made',
    alsoFails: because(
      'an owner asks for its own lock',
      'an owner that asks twice is told that the lock is its own, and the lease stays as it was',
      'an owner whose void lock is met again is told that it is its own',
    ),
  },
  {
    breaks: 'A completion where nobody ever took the lock is refused.',
    open: one(new OnlyUnderLock()),
    fails: 'an acquire that never arrived is made up for: the answer is stored all the same',
    alsoFails: because(
      'it completes a key that nobody has locked',
      'a key can be watched again after the last watcher stopped',
      'a watcher of another key hears nothing',
      'commands that arrive late find what was settled meanwhile, and leave it',
      'of twenty completions at once one is stored, and the others are given it',
      'of two requests that complete at once under one key, one is stored and the other refused',
      'once the lock has lapsed or was released, another request has the key',
      'stopping one watcher, even twice, leaves the other of the same key',
      'two watchers of one key both hear',
      'what happens right after `ready` is heard',
    ),
  },
  {
    breaks: 'A completion sent once more takes its own record for a double and cleans it up.',
    open: one(new CleansDoubles()),
    fails: 'the reply to a completion is lost: the answer stands, also when it is sent once more',
    alsoFails: {},
  },
  {
    breaks: 'An ending lapses with the lock it was left under.',
    open: one(new EndingLapsesWithLock()),
    fails: 'a release that never arrived: waiters are told how it ended, and do not make the call again',
    alsoFails: {},
  },
  {
    breaks: 'Who watches a key is answered from memory until a hint of its end comes.',
    open: several(AnswersWatchersFromMemory),
    fails: 'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer',
    alsoFails: because(
      'the lock lapses, of which no hint comes',
      'a release that never arrived: waiters are told how it ended, and do not make the call again',
    ),
  },
  {
    breaks: 'Who has asked for a lock often enough gets it.',
    open: one(new GivesInToAsking()),
    fails: 'hints are lost: waiters find the answer by looking, and do not make the call',
    alsoFails: because(
      'it asks for a lock until it lapses, and gets it before',
      'a lock is held for its lease and lapses after it',
      'a renewed lease is not taken before the renewal lapses',
    ),
    mayFail: {
      'a completion that never arrived is stored later, before another makes the call again':
        'how often a waiter looks depends on how long it waits',
      'a release that never arrived: waiters are told how it ended, and do not make the call again':
        'how often a waiter looks depends on how long it waits',
      'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer':
        'how often a waiter looks depends on how long it waits',
      'hints are doubled: they wake, and change nothing':
        'how often a waiter looks depends on how long it waits',
      'nothing goes wrong: duplicates in two processes cost one execution, and later ones none':
        'how often a waiter looks depends on how long it waits',
      'renewals whose replies are lost hold the lock':
        'how often a waiter looks depends on how long it waits',
      'the reply to an acquire is lost: the lock is found to be one’s own, and one execution is made':
        'how often a waiter looks depends on how long it waits',
      'the reply to a completion is lost: the answer stands, also when it is sent once more':
        'how often a waiter looks depends on how long it waits',
    },
  },
]
