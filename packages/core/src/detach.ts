import type { Call, Engine } from './engine.js'
import type { LiveLog } from './live-log.js'
import type { Presence } from './presence.js'

/** Limits of what goes on with nobody waiting, for one idem. */
export interface DetachedLimits {
  readonly maxDetachedCalls: number
  readonly maxDetachedBytes: number
}

/** The calls of one idem that go on although nobody in this process waits for them. */
export class DetachedCalls {
  readonly #limits: DetachedLimits
  readonly #calls = new Set<{ readonly bytes: number }>()

  constructor(limits: DetachedLimits) {
    this.#limits = limits
  }

  add(call: { readonly bytes: number }): void {
    this.#calls.add(call)
  }

  delete(call: { readonly bytes: number }): void {
    this.#calls.delete(call)
  }

  get areTooMany(): boolean {
    const { maxDetachedCalls, maxDetachedBytes } = this.#limits
    if (this.#calls.size > maxDetachedCalls) return true
    let bytes = 0
    for (const call of this.#calls) bytes += call.bytes
    return bytes > maxDetachedBytes
  }
}

/**
 * Watches over one execution that may be left by everybody. After a timeout it goes on, since a retry will ask for its
 * answer. Left on purpose it is cancelled after a grace, because finishing is billed; a waiter in another process keeps
 * it, by the mark it leaves. Over the limits it is cancelled at once.
 */
export class Detachable {
  readonly #engine: Engine
  readonly #call: Call<unknown>
  readonly #presence: Presence
  readonly #owner: string | undefined
  readonly #cancel: () => void
  /** What it holds in memory. */
  log: LiveLog | undefined
  #grace: NodeJS.Timeout | undefined
  #isOver = false

  constructor(
    engine: Engine,
    call: Call<unknown>,
    presence: Presence,
    { owner, cancel }: { owner: string | undefined; cancel: () => void },
  ) {
    this.#engine = engine
    this.#call = call
    this.#presence = presence
    this.#owner = owner
    this.#cancel = cancel
    presence.onChange = () => this.#changed()
    this.#changed()
  }

  get bytes(): number {
    return this.log?.length ?? 0
  }

  /** To be called when bytes have come. */
  grew(): void {
    if (!this.#presence.any && this.#engine.detached.areTooMany) this.#cancel()
  }

  /** The execution is over. */
  stop(): void {
    this.#isOver = true
    this.#presence.onChange = undefined
    this.#engine.detached.delete(this)
    clearTimeout(this.#grace)
  }

  #changed(): void {
    clearTimeout(this.#grace)
    const { detached } = this.#engine
    if (this.#presence.any) {
      detached.delete(this)
      return
    }
    detached.add(this)
    if (detached.areTooMany) this.#cancel()
    else if (this.#call.onAbandon === 'cancel' && !this.#presence.retryExpected) this.#giveGrace()
  }

  #giveGrace(): void {
    this.#grace = setTimeout(() => void this.#afterGrace(), this.#engine.abandonGraceMs)
  }

  async #afterGrace(): Promise<void> {
    const isAwaited = this.#owner !== undefined && (await isMarked(this.#engine, this.#call.id, this.#owner))
    if (this.#isOver || this.#presence.any) return
    if (isAwaited) this.#giveGrace()
    else this.#cancel()
  }
}

/** A waiter's mark is kept beside the endings, under a name that no owner has. */
const markOf = (owner: string) => `awaited-${owner}`

/** Tells the owner, in whichever process, that its answer is waited for. */
export class WaiterMark {
  readonly #engine: Engine
  readonly #key: string
  #markedAt = Number.NEGATIVE_INFINITY
  #owner: string | undefined

  constructor(engine: Engine, key: string) {
    this.#engine = engine
    this.#key = key
  }

  /** To be called at each look: it is written as often as it takes not to lapse. */
  refresh(owner: string): void {
    const { store, background, abandonGraceMs, pollMaxMs } = this.#engine
    const isFresh = performance.now() < this.#markedAt + abandonGraceMs / 3
    if (owner === this.#owner && isFresh) return
    this.#owner = owner
    this.#markedAt = performance.now()
    background.add(store.end(this.#key, markOf(owner), Buffer.from('1'), abandonGraceMs + 2 * pollMaxMs))
  }
}

/** Unknown counts as awaited: it costs another look. */
async function isMarked({ store }: Engine, key: string, owner: string): Promise<boolean> {
  try {
    return (await store.ending(key, markOf(owner))) !== undefined
  } catch {
    return true
  }
}
