import type { Engine } from '../call/engine.js'

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
    const lifeMs = abandonGraceMs + 2 * pollMaxMs
    background.add(store.leaveNote(this.#key, markOf(owner), Buffer.from('1'), lifeMs))
  }
}

/** Whether somebody waits for this owner's answer. Unknown counts as yes: it costs another look. */
export async function isAwaited({ store }: Engine, key: string, owner: string): Promise<boolean> {
  try {
    return (await store.readNote(key, markOf(owner))) !== undefined
  } catch {
    return true
  }
}
