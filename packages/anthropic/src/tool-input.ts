import { Allow, parse } from 'partial-json'

/**
 * The input of a tool as it was streamed. Where the answer was cut short (`max_tokens`) it is what the SDK makes of it:
 * everything that is whole, the member that was being written left out.
 */
export function parseToolInput(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A space at the end says that a number before it is whole, as a comma does; `parse` would trim it away.
    return parse(text.replace(/\s$/, ','), Allow.OBJ | Allow.ARR)
  }
}
