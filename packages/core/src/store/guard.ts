import { isStoreError, type StoreError } from '../errors/store-errors.js'
import { Commands } from './commands.js'
import type { AcquireOptions, Claim, Found, Read, Store, Watch } from './store.js'

/** The commands of a store that core sends, bounded in time. */
export interface GuardedStore
  extends Pick<
    Store,
    | 'renew'
    | 'complete'
    | 'release'
    | 'leaveNote'
    | 'readNote'
    | 'forget'
    | 'append'
    | 'tail'
    | 'report'
    | 'reports'
    | 'watch'
    | 'onNotice'
  > {
  /** A shorter limit, for a caller that has less time than the store is usually given. */
  acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options: AcquireOptions | undefined,
    forMs: number,
  ): Promise<Found>
  read(key: string, forMs?: number): Promise<Read>
  /** Resolves when commands for this key can be sent; rejects where waiting cannot help, and after `ms`. */
  connected(key: string, ms: number): Promise<void>
  /** Whether the part of the store for this key is connected, as far as is known without waiting. */
  isThere(key: string): Promise<boolean>
  /** Resolves when that part is connected, however long that takes. */
  back(key: string): Promise<void>
  /** Ends every wait for a connection. */
  stop(): void
}

/** The settings of the guard. */
export interface GuardOptions {
  /** How long a command may take, ms. A connection that is lost is waited for twice as long. */
  readonly budgetMs: number
  /** Is told of each refusal of the store. */
  readonly onRefused: (error: StoreError) => void
  /** Is told why hints cannot be had although the store can be reached. */
  readonly onNoHints: (error: unknown) => void
}

/**
 * The store as core uses it: every command has a time budget, and a store (or the part of it that answers for a key)
 * that does not answer is left alone for a while. Whatever goes wrong, also in a store with a bug, arrives as a
 * StoreError.
 */
export function guarded(store: Store, options: GuardOptions): GuardedStore {
  const { budgetMs, onRefused, onNoHints } = options
  const commands = new Commands(store, budgetMs, onRefused)
  const { longestMs } = commands
  const send: Commands['send'] = (...args) => commands.send(...args)

  /** Where the store is there and hints are not, waiters poll, which is slower: it is told. */
  async function tellNoHints(key: string, error: unknown): Promise<void> {
    if (isStoreError(error) && error.refused !== undefined) onRefused(error)
    else if (await commands.connectionOf(key).isThere()) onNoHints(error)
  }

  return {
    acquire: (key, claim, leaseMs, options, forMs) =>
      commands.sendInsistently(
        'acquire',
        key,
        () => store.acquire(key, claim, leaseMs, options),
        Math.min(forMs, longestMs),
      ),
    renew: (key, ...args) => send('renew', key, () => store.renew(key, ...args)),
    complete: (key, ...args) => send('complete', key, () => store.complete(key, ...args)),
    release: (key, ...args) => send('release', key, () => store.release(key, ...args)),
    leaveNote: (key, ...args) => send('leaveNote', key, () => store.leaveNote(key, ...args)),
    readNote: (key, ...args) => send('readNote', key, () => store.readNote(key, ...args), longestMs),
    read: (key, forMs = longestMs) => send('read', key, () => store.read(key), Math.min(forMs, longestMs)),
    forget: (key) => send('forget', key, () => store.forget(key)),
    // Each of the two is useless without the other.
    ...(store.append &&
      store.tail && {
        append: (key, ...args) => send('append', key, () => store.append!(key, ...args)),
        tail: (key, ...args) => send('tail', key, () => store.tail!(key, ...args)),
      }),
    ...(store.report &&
      store.reports && {
        report: (board, ...args) => send('report', board, () => store.report!(board, ...args)),
        reports: (board) => send('reports', board, () => store.reports!(board)),
      }),
    ...(store.watch && {
      watch(key, listener) {
        const watch = safeWatch(() => store.watch!(key, listener))
        watch.ready.catch((error) => tellNoHints(key, error))
        return watch
      },
    }),
    ...(store.onNotice && { onNotice: (listener) => safeNotices(store, listener) }),
    connected: async (key, ms) => commands.connectionOf(key).ready(ms),
    isThere: (key) => commands.connectionOf(key).isThere(),
    back: (key) => commands.connectionOf(key).back(),
    stop: () => commands.stop(),
  }
}

/** If watching fails, waiters poll. */
function safeWatch(watch: () => Watch): Watch {
  try {
    const { ready, stop } = checkedWatch(watch())
    return { ready: Promise.resolve(ready), stop }
  } catch (error) {
    return { ready: Promise.reject(error), stop() {} }
  }
}

function checkedWatch(watch: Watch): Watch {
  const { ready, stop } = Object(watch) as Partial<Watch>
  if (typeof ready?.then === 'function' && typeof stop === 'function')
    return { ready, stop: () => stop.call(watch) }
  throw new TypeError('watch() of the store answered what the contract of Store does not allow.')
}

/** If a store fails to register the listener, it is used without notices. */
function safeNotices(store: Store, listener: (topic: string, message: string) => void): () => void {
  try {
    const stop: unknown = store.onNotice!(listener)
    return typeof stop === 'function' ? () => void stop() : () => {}
  } catch {
    return () => {}
  }
}
