import type { ReplyScript } from './reply-script.js'

/** An answer that the test lets go piece by piece. */
export interface GatedReply {
  readonly script: ReplyScript
  /** Lets this many more pieces go; all that are left by default. */
  open(pieces?: number): void
}

/** Makes a script whose pieces wait until they are let go; a stream has an event a piece. */
export function gatedReply(script: ReplyScript = {}): GatedReply {
  let allowed = 0
  let waiting: (() => void)[] = []
  return {
    script: {
      ...script,
      async beforeChunk(index) {
        while (index >= allowed) await new Promise<void>((resolve) => waiting.push(resolve))
      },
    },
    open(pieces = Number.POSITIVE_INFINITY) {
      allowed += pieces
      const woken = waiting
      waiting = []
      for (const resolve of woken) resolve()
    },
  }
}
