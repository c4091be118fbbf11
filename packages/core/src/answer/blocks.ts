/** Bytes come in pieces of any size. They are kept in blocks, so that many small ones cost little more than few. */
const FIRST_BLOCK_BYTES = 4 * 1024
const BLOCK_BYTES = 64 * 1024

interface Block {
  readonly start: number
  readonly bytes: Uint8Array
  used: number
}

/** Bytes that are appended to, and never moved: what was given out of them stays valid. */
export class Blocks {
  readonly #blocks: Block[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  append(bytes: Uint8Array): void {
    for (let rest = bytes; rest.byteLength > 0; ) {
      const block = this.#roomFor(rest.byteLength)
      const part = rest.subarray(0, block.bytes.byteLength - block.used)
      block.bytes.set(part, block.used)
      block.used += part.byteLength
      this.#length += part.byteLength
      rest = rest.subarray(part.byteLength)
    }
  }

  /** Some bytes from `offset` on. They are shared, so do not change them. Undefined when there are none. */
  peek(offset: number): Uint8Array | undefined {
    if (offset >= this.#length) return undefined
    const { start, bytes, used } = this.#blocks.findLast((block) => block.start <= offset)!
    return bytes.subarray(offset - start, used)
  }

  /** Whether these bytes are the ones that stand at `offset`, as far as both go. */
  matches(offset: number, bytes: Uint8Array): boolean {
    let rest = bytes
    while (rest.byteLength > 0) {
      const here = this.peek(offset + bytes.byteLength - rest.byteLength)?.subarray(0, rest.byteLength)
      if (!here) return true
      if (Buffer.compare(here, rest.subarray(0, here.byteLength)) !== 0) return false
      rest = rest.subarray(here.byteLength)
    }
    return true
  }

  /** All of them, a copy. */
  all(): Uint8Array {
    return Buffer.concat(this.#blocks.map(({ bytes, used }) => bytes.subarray(0, used)))
  }

  #roomFor(bytes: number): Block {
    const last = this.#blocks.at(-1)
    if (last && last.used < last.bytes.byteLength) return last
    const size = Math.min(Math.max(bytes, FIRST_BLOCK_BYTES, this.#length), BLOCK_BYTES)
    const block: Block = { start: this.#length, bytes: new Uint8Array(size), used: 0 }
    this.#blocks.push(block)
    return block
  }
}
