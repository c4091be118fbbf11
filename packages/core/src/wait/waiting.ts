import type { Callers } from '../call/callers.js'
import type { Call, Engine, Settled } from '../call/engine.js'
import { isStoreError } from '../errors/store-errors.js'
import type { Claim } from '../store/store.js'
import { Follow, type Why } from './follow.js'
import type { Looked } from './look.js'
import { findEnding } from './replay.js'
import { Wait } from './wait.js'
import { WaiterMark } from './waiter-mark.js'

/**
 * What a duplicate does between two looks: it waits for the owner it saw, tells it so, and follows its answer
 * as far as it has come. Nothing of it exists before the first owner is seen.
 */
export class Waiting<T> {
  readonly #call: Call<T>
  readonly #engine: Engine
  readonly #callers: Callers
  readonly #claim: Claim
  readonly #until: number
  /** When it began, by the local cache. */
  readonly #since: number
  readonly #mark: WaiterMark | undefined
  #follow: Follow | undefined
  #wait: Wait | undefined
  #owner: string | undefined
  #mendAt = 0
  #aloneAt: number | undefined

  /** `claim` is the caller's own, for the day it takes the lock. */
  constructor(call: Call<T>, engine: Engine, callers: Callers, claim: Claim) {
    this.#call = call
    this.#engine = engine
    this.#callers = callers
    this.#claim = claim
    this.#until = performance.now() + call.maxWaitMs
    this.#since = engine.localCache?.now ?? 0
    this.#mark = call.ifAbandoned === 'cancel' ? new WaiterMark(engine, call.id) : undefined
    this.#follow = call.isLive && engine.store.tail ? new Follow(call, engine, callers.begin) : undefined
  }

  /** How an answer that is found now came to this caller. */
  get outcome(): 'collapsed' | 'replayed' {
    return this.#wait ? 'collapsed' : 'replayed'
  }

  /**
   * Whether callers have a part of the answer of an owner that is heard. Such an owner takes its lock back itself where
   * it was lost: the lock is left free for it.
   */
  get isFollowing(): boolean {
    return this.#follow?.isNeeded === true
  }

  /** Whether maxWaitMs is over. A caller that is receiving a stream is exempt. */
  get isOverdue(): boolean {
    return performance.now() > this.#until && !this.#follow?.isUnderWay
  }

  /** How the owner that was waited for ended, if `found` says that it has left and it left word. */
  async endingBefore(found: Looked) {
    if (found.state !== 'unreachable') this.#aloneAt = undefined
    if (this.#owner === undefined || !hasLeft(this.#owner, found)) return undefined
    const ending = await findEnding(this.#call, this.#engine, this.#owner)
    if (ending?.type === 'answer') this.#follow?.finish(this.#owner, ending.answer)
    return ending
  }

  /** Waits until it is time for another look. */
  async next(found: Looked): Promise<void> {
    if (found.state === 'locked') this.#see(found.owner)
    if (this.#owner !== undefined && found.state !== 'unreachable') {
      this.#mark?.refresh(this.#owner)
      await this.#follow?.look(this.#owner)
    }
    await this.#callers.wait(this.#wait!.next)
    if (found.state === 'locked') await this.#mend()
  }

  /**
   * Whether to wait on although the store cannot be reached: an owner that was seen is probably well. It is given
   * another lease, jittered, before a second call is made.
   */
  get isPatient(): boolean {
    this.#aloneAt ??= performance.now() + this.#engine.leaseMs * (1 + Math.random())
    return this.#wait !== undefined && performance.now() <= this.#aloneAt
  }

  /**
   * A record of `owner` is the answer. Callers that have a part of another owner's answer are given the rest of that
   * one, as long as its owner goes on.
   */
  finish(owner: string, { answer, record }: Omit<Settled<T>, 'outcome'>): void {
    if (answer && record) this.#engine.localCache?.keep(this.#call, answer, record, this.#since)
    if (this.isFollowing && this.#owner !== owner) {
      this.#engine.background.add(this.#stay(this.#follow!, this.#wait!, this.#owner!))
      this.#wait = this.#follow = undefined
    }
    if (answer) this.#follow?.finish(owner, answer)
  }

  /** Ends it. Callers that have a part of an answer are told `why` they get no more. May be called twice. */
  stop(why?: Why): void {
    this.#wait?.stop()
    this.#follow?.interrupt(why)
  }

  #see(owner: string): void {
    if (this.#owner !== owner) this.#mendAt = performance.now() + this.#engine.leaseMs
    if (!this.isFollowing) this.#owner = owner
    this.#wait ??= new Wait(this.#engine.store, this.#call.id, this.#engine, this.#follow?.hear)
  }

  /**
   * A lock that lost its expiry would be waited for until maxWaitMs. A renewal gives it one, whoever asks for it. Where
   * the lock is gone the renewal takes it for this caller, as the next look finds.
   */
  async #mend(): Promise<void> {
    // An owner that is heard renews its lock, and that gives it an expiry.
    if (this.#wait?.isHearing) this.#mendAt = performance.now() + this.#engine.leaseMs
    if (performance.now() <= this.#mendAt || this.isFollowing) return
    this.#mendAt = performance.now() + this.#engine.leaseMs
    await this.#engine.store.renew(this.#call.id, this.#claim, this.#engine.leaseMs).catch((error) => {
      if (!isStoreError(error)) throw error
    })
  }

  async #stay(follow: Follow, wait: Wait, owner: string): Promise<void> {
    const { signal } = new AbortController()
    follow.overtake()
    try {
      while (follow.isNeeded) {
        const ending = await findEnding(this.#call, this.#engine, owner)
        if (ending?.type === 'answer') follow.finish(owner, ending.answer)
        if (ending) return
        await follow.look(owner)
        await wait.next(signal)
      }
    } finally {
      wait.stop()
      follow.interrupt('overtaken')
    }
  }
}

function hasLeft(owner: string, found: Looked): boolean {
  if (found.state === 'locked') return found.owner !== owner
  return found.state === 'acquired' || found.state === 'absent'
}
