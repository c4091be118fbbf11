import { Allow, parse } from 'partial-json'

/**
 * The input of a tool as it was streamed. Where the answer was cut short (`max_tokens`) it is what the SDK makes of it:
 * everything that is whole, the member that was being written left out.
 * @throws for what is not the beginning of JSON either: it would be guessed
 */
export function parseToolInput(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!isCutJson(text)) throw error
    // A space at the end closes a number before it, as a comma does. `parse` would trim it away.
    return parse(text.replace(/\s$/, ','), Allow.OBJ | Allow.ARR)
  }
}

/**
 * The endings that can be missing of a string, of a literal or a number, and of a member. After that the brackets are
 * closed.
 */
const ESCAPES = ['', '\\', '0', '00', '000', '0000']
const LITERALS = ['rue', 'ue', 'e', 'alse', 'lse', 'se', 'ull', 'll', 'l']
const ENDS = ['', '0', ':0', '"":0', ...LITERALS, ...ESCAPES.flatMap((end) => [`${end}"`, `${end}":0`])]

/** Whether this text begins some JSON. Not if it has a `__proto__`, which the parser of cut text would lose. */
function isCutJson(text: string): boolean {
  const open: string[] = []
  for (const [bracket] of text.replaceAll(/"(?:[^"\\]|\\.)*(?:"|\\?$)/gs, '').matchAll(/[{}[\]]/g)) {
    if (bracket === '{' || bracket === '[') open.unshift(bracket === '{' ? '}' : ']')
    else open.shift()
  }
  return ENDS.some((end) => isTame(text + end + open.join('')))
}

function isTame(text: string): boolean {
  try {
    let isTame = true
    JSON.parse(text, (name, value) => {
      isTame &&= name !== '__proto__'
      return value
    })
    return isTame
  } catch {
    return false
  }
}
