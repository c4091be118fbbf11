// Where things end in the text of JSON. It is looked at here, and parsed elsewhere.

const STRUCTURE = /["[\]{}]/g

/** Where the next quote or bracket is; the length of the text where there is none. */
export function nextOf(text: string, from: number): number {
  STRUCTURE.lastIndex = from
  return STRUCTURE.test(text) ? STRUCTURE.lastIndex - 1 : text.length
}

/** The longest end of this text that is not cut inside of an escape. */
export function beforeEscape(text: string): number {
  const from = text.lastIndexOf('\\')
  let backslashes = 1
  while (text[from - backslashes] === '\\') backslashes++
  if (from < 0 || backslashes % 2 === 0) return text.length
  const length = text[from + 1] === 'u' ? 6 : 2
  return from + length > text.length ? from : text.length
}

/** Where the container that begins at `from` ends; undefined if it does not end here. Its brackets need not match: it is parsed. */
export function endOfContainer(window: string, from: number): number | undefined {
  let depth = 0
  let at = from
  for (;;) {
    const found = nextOf(window, at)
    const token = window[found]
    if (token === undefined) return undefined
    if (token === '"') {
      const end = endOfString(window, found + 1)
      if (end === undefined) return undefined
      at = end
      continue
    }
    depth += token === '[' || token === '{' ? 1 : -1
    at = found + 1
    if (depth === 0) return at
  }
}

/** Where the string that `from` is inside of ends: after the first quote that is not escaped. Undefined if it does not. */
export function endOfString(text: string, from: number): number | undefined {
  let end = from
  for (;;) {
    end = text.indexOf('"', end) + 1
    if (end === 0) return undefined
    let backslashes = 0
    while (text[end - 2 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return end
  }
}
