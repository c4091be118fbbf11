import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { isStoreError, StoreError, StoreUnavailableError } from '../errors/store-errors.js'
import { within } from '../util/within.js'
import type { GuardedStore } from './guard.js'
import { newOwner } from './owner.js'
import type { Claim, Hint, Watch } from './store.js'

/** How long a first connection may take at least, ms: names are looked up, and TLS is agreed on. */
const CONNECT_MS = 5_000
/** How long the keys of a probe can live, ms. */
const LIFE_MS = 5_000

/**
 * Finds out whether a store can be used, by every command of the protocol on a key of its own. It leaves nothing
 * behind.
 */
export class Probe {
  readonly #store: GuardedStore
  readonly #budgetMs: number
  #recording: Promise<void> | undefined

  constructor(store: GuardedStore, budgetMs: number) {
    this.#store = store
    this.#budgetMs = budgetMs
  }

  /**
   * Asks once, until it has succeeded: can an execution be locked and its answer kept?
   * @throws StoreError
   */
  canRecord(): Promise<void> {
    this.#recording ??= this.#record(newKey()).catch((error) => {
      this.#recording = undefined
      throw error
    })
    return this.#recording
  }

  /**
   * Tries every command, hints and live logs included.
   * @throws StoreUnavailableError, UnsupportedServerError
   */
  async all(): Promise<void> {
    const notices: string[] = []
    let stop: (() => void) | undefined
    try {
      await this.#store.connected(newKey(), Math.max(this.#budgetMs, CONNECT_MS))
      await this.#earlierReplies()
      stop = this.#store.onNotice?.((_topic, message) => notices.push(message))
      await this.#record(newKey())
      await this.#liveLog(newKey())
      await this.#reports(newKey())
      await this.#hints(newKey(), notices)
      if (notices[0] !== undefined) throw new StoreError(notices[0], { effect: 'none' })
    } catch (error) {
      if (!isStoreError(error)) throw error
      throw new StoreUnavailableError(error, 'The idempotency store is not ready.')
    } finally {
      stop?.()
    }
  }

  /** Replies come in order: what a probe before this one was refused late is told by now. */
  async #earlierReplies(): Promise<void> {
    const watch = this.#store.watch?.(newKey(), () => {})
    await within(watch?.ready.catch(() => {}) ?? Promise.resolve(), this.#budgetMs)
    watch?.stop()
    await turn()
  }

  /** Lock, renewal, record, mark: every branch of each that needs another command of the server. */
  async #record(key: string): Promise<void> {
    const store = this.#store
    const claim = newClaim()
    const bytes = Buffer.from('probe')
    const acquire = (options?: { replacing: Uint8Array }) =>
      store.acquire(key, claim, LIFE_MS, options, this.#budgetMs)
    try {
      await acquire()
      await store.renew(key, claim, LIFE_MS)
      await store.release(key, claim.owner)
      await store.renew(key, claim, LIFE_MS)
      await store.leaveNote(key, claim.owner, bytes, 1)
      await store.readNote(key, claim.owner)
      await store.complete(key, claim, bytes, LIFE_MS)
      await store.complete(key, claim, bytes, LIFE_MS)
      await store.complete(key, claim, bytes, LIFE_MS, { over: true })
      await store.read(key)
      await acquire({ replacing: bytes })
      await store.forget(key)
    } finally {
      await store.release(key, claim.owner).catch(() => {})
    }
    await store.complete(key, claim, bytes, LIFE_MS)
    await store.forget(key)
  }

  async #liveLog(key: string): Promise<void> {
    const { append, tail } = this.#store
    if (!append || !tail) return
    const { owner } = newClaim()
    const bytes = Buffer.from('probe')
    await append(key, owner, 0, bytes, LIFE_MS)
    try {
      await append(key, owner, 0, bytes, LIFE_MS)
      await tail(key, owner, 0)
    } finally {
      await append(key, owner, bytes.byteLength, new Uint8Array(), 1)
    }
  }

  async #reports(board: string): Promise<void> {
    const { report, reports } = this.#store
    if (!report || !reports) return
    const write = (lifeMs: number) => report(board, 'probe', Buffer.from('{}'), lifeMs)
    await write(LIFE_MS)
    await reports(board).finally(() => write(1))
  }

  /** A hint that is published arrives; and a channel is left again, which is known when the next one is subscribed. */
  async #hints(key: string, notices: readonly string[]): Promise<void> {
    const store = this.#store
    if (!store.watch) return
    const claim = newClaim()
    let heard = (_: Hint) => {}
    const hint = new Promise<Hint>((resolve) => {
      heard = resolve
    })
    const watch = store.watch(key, (one) => heard(one))
    const next = async () => {
      watch.stop()
      await turn()
      const another = store.watch!(newKey(), () => {})
      await this.#subscribed(another).finally(() => another.stop())
      await turn()
    }
    try {
      await this.#subscribed(watch)
      await store.complete(key, claim, Buffer.from('probe'), LIFE_MS)
      await store.forget(key)
      if (notices.length === 0 && !(await within(hint, this.#budgetMs))) throw noHints('do not arrive')
      await next()
    } finally {
      watch.stop()
    }
  }

  async #subscribed({ ready }: Watch): Promise<void> {
    const isReady = ready.then(
      () => true,
      (error) => {
        throw isStoreError(error) ? error : noHints('cannot be subscribed to', error)
      },
    )
    if (!(await within(isReady, this.#budgetMs))) throw noHints('were not subscribed to in time')
  }
}

function noHints(what: string, cause?: unknown): StoreError {
  return new StoreError(
    `Hints ${what}: callers that wait would poll. Allow SSUBSCRIBE, SUNSUBSCRIBE and SPUBLISH on the channels of the prefix.`,
    { effect: 'none', cause },
  )
}

function newKey(): string {
  return `probe-${randomBytes(16).toString('base64url')}`
}

function newClaim(): Claim {
  return { owner: newOwner(), fingerprint: randomBytes(16).toString('base64url') }
}
