import { beforeEscape, endOfContainer, endOfString, nextOf } from './json-scan.js'
import type { Steps } from './steps.js'

/** Text up to this long is parsed in one step, in UTF-16 code units: some ms, whatever it holds. */
export const PIECE = 32 * 1024
/** How many containers may be open that are too large for one step: far more than any request has. */
const MAX_DEPTH = 100

/** What is done with each piece of the text. `open` and `close` make JSON of a piece that lies inside a container. */
export interface PieceReader {
  /** The value of a piece. `inner` is the piece; with its brackets it is JSON. */
  read(inner: string, open: string, close: string): unknown
  /** Is told of each object that was put together of pieces, and how many of its names were not in one. */
  assembled?(object: object, single: number): void
}

/**
 * What `JSON.parse` makes of a text, in steps: small values are parsed as they are, large arrays and objects in runs of
 * their members.
 * @throws SyntaxError for what is not JSON, RangeError for what is nested too deeply
 */
export function* parseSteps(text: string, reader: PieceReader, piece = PIECE): Steps<unknown> {
  // No piece is shorter than an escape.
  const parser = new Parser(text, reader, Math.max(piece, 8))
  const value = yield* parser.value(0)
  parser.end()
  return value
}

class Parser {
  readonly #text: string
  readonly #reader: PieceReader
  readonly #piece: number
  #at = 0

  constructor(text: string, reader: PieceReader, piece: number) {
    this.#text = text
    this.#reader = reader
    this.#piece = piece
  }

  /** The value that begins here. */
  *value(depth: number): Steps<unknown> {
    yield
    const open = this.#next()
    if (open === '"') return yield* this.#string()
    if (open !== '[' && open !== '{') return this.#token()
    const end = endOfContainer(this.#window(), 0)
    if (end !== undefined) {
      const value = this.#reader.read(this.#text.slice(this.#at, this.#at + end), '', '')
      this.#at += end
      return value
    }
    if (depth === MAX_DEPTH) throw new RangeError('nested too deeply')
    this.#at++
    return open === '[' ? yield* this.#items(depth + 1) : yield* this.#members(depth + 1)
  }

  /** Nothing but space may be left. */
  end(): void {
    if (this.#next() !== undefined) this.#fail()
  }

  *#items(depth: number): Steps<unknown[]> {
    const items: unknown[] = []
    if (this.#isEmpty(']')) return items
    do {
      const run = this.#run()
      if (run === undefined) items.push(yield* this.value(depth))
      else for (const item of this.#reader.read(run, '[', ']') as unknown[]) items.push(item)
      yield
    } while (this.#goesOn(']'))
    return items
  }

  *#members(depth: number): Steps<object> {
    const object: Record<string, unknown> = {}
    let single = 0
    if (this.#isEmpty('}')) return object
    do {
      const run = this.#run()
      if (run === undefined) {
        if (this.#next() !== '"') this.#fail()
        const name = yield* this.#string()
        if (this.#next() !== ':') this.#fail()
        this.#at++
        single++
        set(object, name, yield* this.value(depth))
      } else {
        const members = this.#reader.read(run, '{', '}') as Record<string, unknown>
        for (const name of Object.keys(members)) set(object, name, members[name])
      }
      yield
    } while (this.#goesOn('}'))
    this.#reader.assembled?.(object, single)
    return object
  }

  /** Steps over the end of a container that holds nothing. */
  #isEmpty(close: string): boolean {
    if (this.#next() !== close) return false
    this.#at++
    return true
  }

  /** Steps over the comma or the end behind what was read. @returns whether there is more */
  #goesOn(close: string): boolean {
    const found = this.#next()
    if (found !== ',' && found !== close) this.#fail()
    this.#at++
    return found === ','
  }

  /** Members from here on that fit into one piece, up to a comma or the end of their container; undefined: not one does. */
  #run(): string | undefined {
    this.#next()
    const window = this.#window()
    let cut: number | undefined
    let at = 0
    for (;;) {
      const found = nextOf(window, at)
      // Between what has structure there are numbers and commas.
      const comma = window.slice(at, found).lastIndexOf(',')
      if (comma >= 0) cut = at + comma
      const token = window[found]
      if (token === ']' || token === '}') cut = found
      if (token !== '"' && token !== '[' && token !== '{') break
      const end = token === '"' ? endOfString(window, found + 1) : endOfContainer(window, found)
      if (end === undefined) break
      at = end
    }
    if (cut === undefined) return undefined
    const run = window.slice(0, cut)
    if (run.trim() === '') this.#fail()
    this.#at += cut
    return run
  }

  #window(): string {
    return this.#text.slice(this.#at, this.#at + this.#piece)
  }

  /** A number, or one of the three names. */
  #token(): unknown {
    const from = this.#at
    TOKEN.lastIndex = from
    TOKEN.test(this.#text)
    this.#at = TOKEN.lastIndex
    return this.#reader.read(this.#text.slice(from, this.#at), '', '')
  }

  /** A string, which may be a book. */
  *#string(): Steps<string> {
    const texts: string[] = []
    this.#at++
    for (;;) {
      const window = this.#window()
      const end = endOfString(window, 0)
      if (end === undefined && this.#at + window.length >= this.#text.length) this.#fail()
      const cut = end === undefined ? beforeEscape(window) : end - 1
      const json = `"${window.slice(0, cut)}"`
      texts.push(texts.length === 0 ? (this.#reader.read(json, '', '') as string) : JSON.parse(json))
      this.#at += end ?? cut
      if (end !== undefined) return texts.join('')
      yield
    }
  }

  /** The next character that is not space, where it is. */
  #next(): string | undefined {
    SPACE.lastIndex = this.#at
    SPACE.test(this.#text)
    this.#at = SPACE.lastIndex
    return this.#text[this.#at]
  }

  #fail(): never {
    throw new SyntaxError('not JSON')
  }
}

const SPACE = /[ \t\n\r]*/y
const TOKEN = /[^\s,\]}]*/y

/** A member of its own, whatever its name: `__proto__` would set the prototype. */
function set(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}
