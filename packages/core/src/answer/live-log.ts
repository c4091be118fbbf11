import { pulse } from './pulse.js'
import type { AnswerHead } from './record.js'

/** Bytes come in pieces of any size; they are kept in blocks, so that many small ones cost little more than few. */
const FIRST_BLOCK_BYTES = 4 * 1024
const BLOCK_BYTES = 64 * 1024

interface Block {
  readonly start: number
  readonly bytes: Uint8Array
  used: number
}

/** Bytes for one reader. */
export interface Bytes {
  /** The next ones, shared: not to be changed. Undefined at the end of a whole answer. */
  next(): Promise<Uint8Array | undefined>
  /** It reads no more. */
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
  readonly #blocks: Block[] = []
  readonly #cursors = new Set<Cursor>()
  readonly #onGrown: (() => void) | undefined
  #length = 0
  #state: State = { is: 'open' }
  #isOvertaken = false
  #pulse = pulse()

  constructor(head: AnswerHead, onGrown?: () => void) {
    this.head = head
    this.#onGrown = onGrown
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length
  }

  get state(): State {
    return this.#state
  }

  /** Whether another answer of the same request stands: who has nothing of this one is to have that one. */
  get isOvertaken(): boolean {
    return this.#isOvertaken
  }

  /** Whether anybody in this process reads it. */
  get hasReaders(): boolean {
    return this.#cursors.size > 0
  }

  /** Whether one that reads it has been given any of it. */
  get isDelivered(): boolean {
    return [...this.#cursors].some((cursor) => cursor.offset > 0)
  }

  append(bytes: Uint8Array): void {
    if (this.#state.is !== 'open' || bytes.byteLength === 0) return
    for (let rest = bytes; rest.byteLength > 0; ) {
      const block = this.#roomFor(rest.byteLength)
      const part = rest.subarray(0, block.bytes.byteLength - block.used)
      block.bytes.set(part, block.used)
      block.used += part.byteLength
      this.#length += part.byteLength
      rest = rest.subarray(part.byteLength)
    }
    this.#beat()
    this.#onGrown?.()
  }

  /** The answer is whole: what was missing of these bytes is the last of it. Other bytes do not complete it. */
  finish(whole: Uint8Array): void {
    if (whole.byteLength < this.#length) return
    this.append(whole.subarray(this.#length))
    this.#end({ is: 'whole' })
  }

  /** There will be no more of it: readers that have some cannot go on, the others may find another one. */
  fail(error: unknown): void {
    this.#end({ is: 'failed', error })
  }

  overtake(): void {
    this.#isOvertaken = true
    this.#beat()
  }

  /** It grew over what is kept: the reader that is furthest goes on with `rest` at its own pace, the others fail. */
  spill(rest: Bytes, error: unknown): void {
    const [heir] = [...this.#cursors].sort((a, b) => b.offset - a.offset)
    if (heir) this.#end({ is: 'spilled', error, heir, rest })
    else {
      rest.close()
      this.#end({ is: 'failed', error })
    }
  }

  /** Some bytes from `offset` on, shared: not to be changed. Undefined when there are none. */
  peek(offset: number): Uint8Array | undefined {
    if (offset >= this.#length) return undefined
    const { start, bytes, used } = this.#blocks.findLast((block) => block.start <= offset)!
    return bytes.subarray(offset - start, used)
  }

  /** All bytes so far, a copy. */
  bytes(): Uint8Array {
    return Buffer.concat(this.#blocks.map(({ bytes, used }) => bytes.subarray(0, used)))
  }

  /** Resolves when there is more than `length`, or no more to come. */
  async grown(length: number): Promise<void> {
    while (this.#length <= length && this.#state.is === 'open') await this.#pulse.promise
  }

  /** A reader, from the first byte on. `onLost` is called when what it has can no more become a whole answer. */
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

  #roomFor(bytes: number): Block {
    const last = this.#blocks.at(-1)
    if (last && last.used < last.bytes.byteLength) return last
    const size = Math.min(Math.max(bytes, FIRST_BLOCK_BYTES, this.#length), BLOCK_BYTES)
    const block: Block = { start: this.#length, bytes: new Uint8Array(size), used: 0 }
    this.#blocks.push(block)
    return block
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
