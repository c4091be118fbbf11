import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from '@idem/core'
import type { Watch } from '@idem/core/store'
import { type Broken, because, several } from './broken.js'
import { Connected, disrupt } from './connected.js'
import { type Listener, PlainStore } from './plain-store.js'

class ClosesOnce extends PlainStore {
  #closed = false
  override async close(): Promise<void> {
    if (this.#closed) throw new Error('already closed')
    this.#closed = true
    await super.close()
  }
}

class BreaksWhenClosed extends PlainStore {
  #closed = false
  override async close(): Promise<void> {
    this.#closed = true
    await super.close()
  }
  override async renew(...args: Parameters<PlainStore['renew']>) {
    if (this.#closed) throw new TypeError('Cannot read properties of undefined')
    return super.renew(...args)
  }
}

class AbandonsCommands extends PlainStore {
  #closed = false
  override async close(): Promise<void> {
    this.#closed = true
    await super.close()
  }
  override async once(...args: Parameters<PlainStore['once']>) {
    const open = !this.#closed
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (open && this.#closed) await new Promise(() => {})
    return super.once(...args)
  }
}

class StopsOnceClosed extends PlainStore {
  #closed = false
  override async close(): Promise<void> {
    this.#closed = true
    await super.close()
  }
  override watch(key: string, listener: Listener): Watch {
    const watch = super.watch(key, listener)
    const stop = () => {
      if (this.#closed) throw new Error('the connection is closed')
      watch.stop()
    }
    return { ready: watch.ready, stop }
  }
}

class FlushesAll extends PlainStore {
  override async close(): Promise<void> {
    // What the other tests of the kit have is not counted.
    for (const [key, there] of this.shared.entries) {
      if (this.#own.has(there.owner)) this.shared.entries.delete(key)
    }
    await super.close()
  }
  readonly #own = new Set<string>()
  protected override lock(...args: Parameters<PlainStore['lock']>): void {
    this.#own.add(args[1].owner)
    super.lock(...args)
  }
}

class LeavesWatchers extends PlainStore {
  override async close(): Promise<void> {}
}

class NeverBack extends Connected {
  #lost = false
  protected override async reconnect(): Promise<void> {
    this.#lost = true
  }
  protected override async command<T>(send: () => Promise<T>): Promise<T> {
    if (this.#lost) throw new StoreError('not connected', { effect: 'none' })
    return super.command(send)
  }
}

class LocksOfTheConnection extends Connected {
  readonly #own = new Set<string>()
  protected override lock(...args: Parameters<PlainStore['lock']>): void {
    this.#own.add(args[0])
    super.lock(...args)
  }
  override async disrupt(): Promise<void> {
    for (const key of this.#own) if (this.at(key)?.kind === 'lock') this.shared.entries.delete(key)
    await super.disrupt()
  }
}

class Hangs extends Connected {
  protected override lose(): Promise<never> {
    return new Promise(() => {})
  }
}

class OneForAll extends Connected {
  static readonly handles = new Set<OneForAll>()
  constructor(...args: ConstructorParameters<typeof Connected>) {
    super(...args)
    OneForAll.handles.add(this)
  }
  #down = false
  override async disrupt(): Promise<void> {
    for (const handle of OneForAll.handles) handle.#down = true
    await super.disrupt()
    sleep(20).then(() => {
      for (const handle of OneForAll.handles) handle.#down = false
    })
  }
  protected override async command<T>(send: () => Promise<T>): Promise<T> {
    if (this.#down) throw new StoreError('not connected', { effect: 'none' })
    return super.command(send)
  }
}

class LosesWatchers extends Connected {
  override async disrupt(): Promise<void> {
    await super.disrupt()
    await PlainStore.prototype.close.call(this)
  }
}

export const close: Broken[] = [
  {
    breaks: 'A second close() rejects.',
    open: several(ClosesOnce),
    fails: 'close() may be called twice, also at once',
    alsoFails: {},
  },
  {
    breaks: 'A command after close() fails with whatever comes of it.',
    open: several(BreaksWhenClosed),
    fails: 'a command after close() is answered or rejects with a StoreError',
    alsoFails: {},
  },
  {
    breaks: 'A command under way when the store is closed never ends.',
    open: several(AbandonsCommands),
    fails: 'commands that run when close() is called end',
    alsoFails: {},
  },
  {
    breaks: 'After close(), stop() of a watcher throws.',
    open: several(StopsOnceClosed),
    fails: 'a watcher can be stopped after close(), and its `ready` has ended',
    alsoFails: because(
      'it stops the watcher of a closed handle',
      'close() of one handle ends its watchers and no others',
    ),
  },
  {
    breaks: 'close() gives up what was locked through the handle.',
    open: several(FlushesAll),
    fails: 'close() of one handle leaves locks, records and endings to the others',
    alsoFails: {},
  },
  {
    breaks: 'Watchers of a closed handle go on hearing.',
    open: several(LeavesWatchers),
    fails: 'close() of one handle ends its watchers and no others',
    alsoFails: {},
  },
  {
    breaks: 'A connection that broke is not made again.',
    open: several(NeverBack),
    means: { disrupt },
    fails: 'after its connections broke, a handle is ready again and answers',
    alsoFails: because(
      'it asks again after the connection broke',
      'a lock outlives the connection it was taken over',
    ),
  },
  {
    breaks: 'A lock goes with the connection it was taken over.',
    open: several(LocksOfTheConnection),
    means: { disrupt },
    fails: 'a lock outlives the connection it was taken over',
    alsoFails: {},
  },
  {
    breaks: 'Commands under way when the connection breaks never end.',
    open: several(Hangs),
    means: { disrupt },
    fails: 'commands that run when the connections break end, with an answer or a StoreError',
    alsoFails: {},
  },
  {
    breaks: 'All handles share one connection.',
    open: several(OneForAll),
    means: { disrupt },
    alone: 'close',
    fails: 'what one handle suffers does not touch another',
    alsoFails: because(
      'its other handle is disturbed too',
      'a watcher hears again after the connections broke',
    ),
  },
  {
    breaks: 'Subscriptions are not made again after a reconnect.',
    open: several(LosesWatchers),
    means: { disrupt },
    fails: 'a watcher hears again after the connections broke',
    alsoFails: {},
  },
]
