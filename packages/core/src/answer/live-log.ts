import { pulse } from '../util/pulse.js'
import { Blocks } from './blocks.js'
import type { AnswerHead } from './record.js'

/** One reader's view of a running answer. */
export interface Bytes {
  /** The next bytes, which are shared: do not change them. Undefined at the end of a whole answer. */
  next(): Promise<Uint8Array | undefined>
  /** Stops reading. */
  close(): void
}

/**
 * | state | a reader gets |
 * | --- | --- |
 * | open | what is there, then what comes |
 * | whole | what is there, then the end |
 * | failed | the error: after what is there if it has some already, else at once |
 * | spilled | the heir: what is there, then the rest, which is not kept; others as if it had failed |
 */
type State =
  | { readonly is: 'open' | 'whole' }
  | { readonly is: 'failed'; readonly error: unknown }
  | { readonly is: 'spilled'; readonly error: unknown; readonly heir: Cursor; readonly rest: Bytes }

/**
 * The bytes of one running answer, appended as they come. Every reader has a cursor of its own: what one does, or how
 * slowly, touches neither the others nor the writer.
 */
export class LiveLog {
  readonly head: AnswerHead
  readonly #bytes = new Blocks()
  readonly #cursors = new Set<Cursor>()
  readonly #onGrown: (() => void) | undefined
  #state: State = { is: 'open' }
  #isOvertaken = false
  #pulse = pulse()

  constructor(head: AnswerHead, onGrown?: () => void) {
    this.head = head
    this.#onGrown = onGrown
  }

  /** Bytes so far. */
  get length(): number {
    return this.#bytes.length
  }

  get state(): State {
    return this.#state
  }

  /**
   * Whether another answer of the same request stands in the store. Readers that have no byte of this one get that one.
   */
  get isOvertaken(): boolean {
    return this.#isOvertaken
  }

  /** Whether anybody in this process reads this log. */
  get hasReaders(): boolean {
    return this.#cursors.size > 0
  }

  /** Whether any reader has been given a part of it. */
  get isDelivered(): boolean {
    return [...this.#cursors].some((cursor) => cursor.offset > 0)
  }

  append(bytes: Uint8Array): void {
    if (this.#state.is !== 'open' || bytes.byteLength === 0) return
    this.#bytes.append(bytes)
    this.#beat()
    this.#onGrown?.()
  }

  /**
   * Completes the log with the whole answer, appending what is missing. If the whole does not begin with what was given
   * out, the log is not completed. @returns whether it was
   */
  finish(whole: Uint8Array): boolean {
    if (whole.byteLength < this.length || !this.matches(0, whole)) return false
    this.append(whole.subarray(this.length))
    this.#end({ is: 'whole' })
    return true
  }

  /** Ends the log before the answer is whole. Readers that have a part cannot go on; others may find another answer. */
  fail(error: unknown): void {
    this.#end({ is: 'failed', error })
  }

  overtake(): void {
    this.#isOvertaken = true
    this.#beat()
  }

  /**
   * Stops keeping bytes, since the answer grew over the limit. The reader that is furthest goes on with `rest` at its
   * own pace; the others fail.
   */
  spill(rest: Bytes, error: unknown): void {
    const [heir] = [...this.#cursors].sort((a, b) => b.offset - a.offset)
    if (heir) this.#end({ is: 'spilled', error, heir, rest })
    else {
      rest.close()
      this.#end({ is: 'failed', error })
    }
  }

  /** Some bytes from `offset` on. They are shared, so do not change them. Undefined when there are none. */
  peek(offset: number): Uint8Array | undefined {
    return this.#bytes.peek(offset)
  }

  /** Whether these bytes are the ones that stand at `offset`, as far as both go. */
  matches(offset: number, bytes: Uint8Array): boolean {
    return this.#bytes.matches(offset, bytes)
  }

  /** All bytes so far, a copy. */
  bytes(): Uint8Array {
    return this.#bytes.all()
  }

  /** Resolves when the log is longer than `length`, or has ended. */
  async grown(length: number): Promise<void> {
    while (this.length <= length && this.#state.is === 'open') await this.#pulse.promise
  }

  /** A reader, from the first byte on. `onLost` is called when the part it has can no longer become a whole answer. */
  read(onLost?: () => void): Cursor {
    const cursor = new Cursor(this, onLost)
    this.#cursors.add(cursor)
    return cursor
  }

  /** For cursors. */
  drop(cursor: Cursor): void {
    this.#cursors.delete(cursor)
    if (this.#state.is === 'spilled' && this.#state.heir === cursor) this.#state.rest.close()
  }

  #end(state: State): void {
    if (this.#state.is !== 'open') return
    this.#state = state
    if (state.is !== 'whole') {
      for (const cursor of this.#cursors) {
        const inherits = state.is === 'spilled' && state.heir === cursor
        if (cursor.offset > 0 && !inherits) cursor.onLost?.()
      }
    }
    this.#beat()
  }

  #beat(): void {
    this.#pulse.resolve()
    this.#pulse = pulse()
  }
}

const OVERTAKEN = new Error('Another answer of the same request stands.')

/** One reader's place in a log. */
export class Cursor implements Bytes {
  readonly log: LiveLog
  readonly onLost: (() => void) | undefined
  #offset = 0

  constructor(log: LiveLog, onLost?: () => void) {
    this.log = log
    this.onLost = onLost
  }

  /** Bytes read. */
  get offset(): number {
    return this.#offset
  }

  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { state, isOvertaken } = this.log
      const isHeir = state.is === 'spilled' && state.heir === this
      if (this.#offset === 0) {
        if (isOvertaken) throw OVERTAKEN
        if ('error' in state && !isHeir) throw state.error
      }
      const bytes = this.log.peek(this.#offset)
      if (bytes) {
        this.#offset += bytes.byteLength
        return bytes
      }
      if (isHeir) return state.rest.next()
      if ('error' in state) throw state.error
      if (state.is === 'whole') return undefined
      await this.log.grown(this.#offset)
    }
  }

  close(): void {
    this.log.drop(this)
  }
}
