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

/**
 * The bytes of one running answer, appended as they come. Every reader has a cursor of its own: what one does, or how
 * slowly, touches neither the others nor the writer.
 */
export class LiveLog {
  readonly head: AnswerHead
  readonly #blocks: Block[] = []
  readonly #cursors = new Set<Cursor>()
  #length = 0
  #end: { readonly error?: unknown } | undefined
  #isOvertaken = false
  #pulse = pulse()
  readonly #onGrown: (() => void) | undefined

  constructor(head: AnswerHead, onGrown?: () => void) {
    this.head = head
    this.#onGrown = onGrown
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length
  }

  /** No byte will come any more. */
  get isOver(): boolean {
    return this.#end !== undefined
  }

  /** Whether a reader of this process has been given any of it. */
  get isDelivered(): boolean {
    return [...this.#cursors].some((cursor) => cursor.offset > 0)
  }

  append(bytes: Uint8Array): void {
    if (this.#end || bytes.byteLength === 0) return
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
    this.#end ??= {}
    this.#beat()
  }

  /** There will be no more of it: readers that have some cannot go on, the others may find another one. */
  fail(error: unknown): void {
    if (this.#end) return
    this.#end = { error }
    for (const cursor of this.#cursors) cursor.onFailed?.()
    this.#beat()
  }

  /** Another answer of the same request stands: who has nothing of this one is to have that one. */
  overtake(): void {
    this.#isOvertaken = true
    this.#beat()
  }

  /**
   * It grew over what is kept. The reader that is furthest goes on with `rest`, at its own pace; all others fail with
   * `error`. @returns whether there was a reader to go on
   */
  spill(rest: () => Promise<Uint8Array | undefined>, error: unknown): boolean {
    const [furthest, ...others] = [...this.#cursors].sort((a, b) => b.offset - a.offset)
    if (furthest) furthest.rest = rest
    this.#end = { error }
    for (const cursor of others) cursor.onFailed?.()
    this.#beat()
    return furthest !== undefined
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
    while (this.#length <= length && !this.#end) await this.#pulse.promise
  }

  /** A reader, from the first byte on. */
  read(): Cursor {
    const cursor = new Cursor(this)
    this.#cursors.add(cursor)
    return cursor
  }

  /** For cursors: how it goes on after the bytes that are here. */
  after(cursor: Cursor): 'wait' | 'end' | { readonly error: unknown } {
    if (cursor.offset === 0 && this.#isOvertaken) return { error: OVERTAKEN }
    if (!this.#end) return 'wait'
    return 'error' in this.#end ? { error: this.#end.error } : 'end'
  }

  /** For cursors: this one reads no more. */
  drop(cursor: Cursor): void {
    this.#cursors.delete(cursor)
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
export class Cursor {
  readonly #log: LiveLog
  #offset = 0
  /** Called when the log fails, before any reader sees it. */
  onFailed: (() => void) | undefined
  /** Where the bytes that the log does not keep come from. */
  rest: (() => Promise<Uint8Array | undefined>) | undefined

  constructor(log: LiveLog) {
    this.#log = log
  }

  /** Bytes read. */
  get offset(): number {
    return this.#offset
  }

  /**
   * The next bytes, shared: not to be changed. Undefined at the end of a whole answer.
   * @throws what the log failed with: after the bytes there are for a reader that has some, at once for others
   */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const left = this.#log.after(this)
      const bytes = this.#log.peek(this.#offset)
      const isLedOn = this.#offset > 0 || this.rest || typeof left === 'string'
      if (bytes && isLedOn) {
        this.#offset += bytes.byteLength
        return bytes
      }
      if (this.rest) return this.rest()
      if (typeof left === 'object') throw left.error
      if (left === 'end') return undefined
      await this.#log.grown(this.#offset)
    }
  }

  close(): void {
    this.#log.drop(this)
  }
}
