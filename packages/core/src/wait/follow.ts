import { LiveLog } from '../answer/live-log.js'
import { type Answer, type AnswerHead, unsealHead } from '../answer/record.js'
import type { Call, Engine, Live } from '../call/engine.js'
import { StreamInterruptedError } from '../errors/execution-errors.js'
import type { Hint } from '../store/store.js'

/** Why a caller that has a part of another process's answer cannot be given the rest of it. */
const WHY = {
  letGo: {
    says: 'The process that received this answer let go of it: it was lost, was silent for longer than its lease, or gave its call up.',
    isStored: false,
  },
  overtaken: { says: 'Another execution of the same request finished first.', isStored: true },
  unshareable: { says: 'The answer grew over what is kept for others.', isStored: false },
  unreachable: { says: 'The store cannot be reached, so that the rest cannot be followed.', isStored: false },
} as const

export type Why = keyof typeof WHY

/**
 * A running answer of another process, followed through the store: the backlog at once, then what comes. One owner's
 * bytes are never continued with another's. Hints bring the bytes; where one is lost the next look finds them. What
 * hints say is believed for the moment alone: it is compared with the log and, at the end, with the stored answer.
 */
export class Follow {
  readonly #call: Call<unknown>
  readonly #engine: Engine
  readonly #begin: (live: Live) => void
  #owner: string | undefined
  /** How much of the store's log is here, its head included. */
  #received = 0
  /** The head of the store's log, as far as it is here. */
  #head: Uint8Array = new Uint8Array()
  #log: LiveLog | undefined
  /** It cannot be read, or is not to be believed. */
  #isUnknown = false
  #isDoubted = false
  #aliveUntil = 0
  #foundAt = 0
  #reading: Promise<void> | undefined
  #isBehind = false

  /** `begin` is given each log that is followed, when its head is known. */
  constructor(call: Call<unknown>, engine: Engine, begin: (live: Live) => void) {
    this.#call = call
    this.#engine = engine
    this.#begin = begin
  }

  /** Whether there is some of the answer of the owner that is followed. */
  get isUnderWay(): boolean {
    return this.#log !== undefined
  }

  /**
   * Whether callers have a part of the answer of an owner that is at work, as far as its hints and its log tell,
   * whatever became of its lock. It says so every third of a lease at least. Two thirds without a sign are over before
   * the lock of an owner that was lost lapses; one that is followed only now has half a lease to be heard.
   */
  get isNeeded(): boolean {
    const now = performance.now()
    return (
      this.#log?.isDelivered === true && now < this.#aliveUntil && now < this.#foundAt + this.#engine.leaseMs
    )
  }

  /** Follows this owner from now on, and looks for what is there of its answer. */
  async look(owner: string): Promise<void> {
    if (owner !== this.#owner) {
      this.interrupt()
      this.#owner = owner
    }
    await this.#read()
  }

  readonly hear = (hint: Hint): void => {
    if (hint.type === 'missed' || hint.owner !== this.#owner) return
    if (hint.type === 'settled' || hint.type === 'ended') this.#aliveUntil = 0
    if (hint.type !== 'live' || this.#isUnknown) return
    this.#isHeard()
    const { offset, bytes } = hint
    const isNext = Number.isSafeInteger(offset) && offset >= 0 && offset <= this.#received
    this.#isDoubted ||= isNext && bytes !== undefined && !this.#agrees(offset, bytes)
    if (isNext && bytes && !this.#isDoubted) this.#take(bytes.subarray(this.#received - offset))
    else void this.#read()
  }

  /** Another answer stands: callers that have nothing of this one get that. */
  overtake(): void {
    this.#log?.overtake()
  }

  /** The whole answer of `owner` is known: what was given of it is completed. */
  finish(owner: string, { body }: Answer): void {
    if (owner !== this.#owner) this.interrupt('overtaken')
    else if (this.#log && !this.#log.finish(body)) this.#distrust()
    this.interrupt()
  }

  /** There will be no more of what was followed. */
  interrupt(why: Why = 'letGo'): void {
    const { says, isStored } = WHY[why]
    this.#log?.fail(new StreamInterruptedError(says, { isStored }))
    this.#owner = undefined
    this.#received = 0
    this.#head = new Uint8Array()
    this.#log = undefined
    this.#isUnknown = false
    this.#isDoubted = false
    this.#aliveUntil = 0
    this.#foundAt = 0
  }

  /** One at a time, and once more where something was heard meanwhile. Never rejects. */
  #read(): Promise<void> {
    this.#isBehind = true
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readAll(): Promise<void> {
    while (this.#isBehind) {
      this.#isBehind = false
      await this.#tail()
    }
  }

  async #tail(): Promise<void> {
    const owner = this.#owner
    if (owner === undefined || this.#isUnknown) return
    // All of it where a hint said something else than what was given out.
    const from = this.#isDoubted ? 0 : this.#received
    const isFirst = !this.isUnderWay
    try {
      const bytes = await this.#engine.store.tail!(this.#call.id, owner, from)
      // Meanwhile another owner may be followed, and hints may have brought some of this.
      if (!bytes || owner !== this.#owner) return
      this.#foundAt = performance.now()
      if (!this.#agrees(from, bytes)) return this.#distrust()
      if (from === 0) this.#isDoubted = false
      const news = bytes.subarray(this.#received - from)
      // What was there at first may be of an owner that is lost.
      if (news.byteLength > 0 && !isFirst) this.#isHeard()
      this.#take(news)
    } catch {
      // The next look tries again; the loop itself meets what the store fails with.
    }
  }

  #isHeard(): void {
    this.#aliveUntil = performance.now() + (this.#engine.leaseMs * 2) / 3
  }

  /** Whether these bytes of the store's log are those that are here, as far as they are here. */
  #agrees(offset: number, bytes: Uint8Array): boolean {
    const length = this.#head.byteLength
    const ofHead = bytes.subarray(0, Math.max(0, length - offset))
    const same = this.#head.subarray(offset, offset + ofHead.byteLength)
    if (Buffer.compare(same, ofHead) !== 0) return false
    return this.#log?.matches(Math.max(0, offset - length), bytes.subarray(ofHead.byteLength)) ?? true
  }

  /** What was given out is not what the owner has: stop giving it out. */
  #distrust(): void {
    this.#log?.fail(
      new StreamInterruptedError('Some of this answer was changed on its way here.', { isStored: true }),
    )
    this.#log = undefined
    this.#isUnknown = true
    this.#engine.events.warn(
      'corrupt-live-log',
      'A running answer that was followed through the store is not what its process wrote there. Its readers were interrupted.',
    )
  }

  /** The next bytes of the store's log. */
  #take(bytes: Uint8Array): void {
    this.#received += bytes.byteLength
    if (this.#log) {
      this.#log.append(bytes)
      return
    }
    const begun = Buffer.concat([this.#head, bytes])
    this.#head = begun
    const unsealed = unsealHead(begun)
    if (unsealed === 'cut') return
    if (!unsealed || !this.#canRead(unsealed.head)) {
      this.#isUnknown = true
      this.#engine.events.warn(
        'unreadable-live-log',
        'A running answer cannot be followed: its log is damaged, or of a newer version. Its end is waited for.',
      )
      return
    }
    this.#head = begun.subarray(0, begun.byteLength - unsealed.rest.byteLength)
    this.#log = new LiveLog(unsealed.head)
    this.#log.append(unsealed.rest)
    // Without hints it is never heard.
    if (this.#engine.store.watch) this.#aliveUntil ||= performance.now() + this.#engine.leaseMs / 2
    this.#begin({ log: this.#log, outcome: 'collapsed' })
  }

  #canRead(head: AnswerHead): boolean {
    try {
      this.#call.codec.decode({ ...head, body: new Uint8Array() }, 'live')
      return true
    } catch {
      return false
    }
  }
}
