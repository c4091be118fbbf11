/** What watches a stream go by. */
export interface Watcher {
  push(bytes: Uint8Array): void
  readonly state: string
}

/** The states of a watcher, with the number of bytes each was first seen after, fed in pieces of `size`. */
export function statesOf(watcher: Watcher, stream: Uint8Array, size: number): Record<string, number> {
  const states: Record<string, number> = { [watcher.state]: 0 }
  for (let at = 0; at < stream.length; at += size) {
    const piece = stream.subarray(at, at + size)
    watcher.push(piece)
    states[watcher.state] ??= at + piece.length
  }
  return states
}
