import type { ReplyScript } from '@idem/testing'

/** How many pieces of text a slow stream has. */
export const PIECES = 160

/** A stream of the bundled model that lasts some two seconds. No two pieces, and no two calls, are alike. */
export function slowStream(call: number): ReplyScript {
  return {
    text: Array.from({ length: PIECES }, (_, piece) => `${call}.${piece}`).join(' '),
    latencyMs: 0,
    chunkDelayMs: 10,
  }
}
