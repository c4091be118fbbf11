import type { Anthropic } from '@anthropic-ai/sdk'
import type { ReplyScript } from '@idem/testing'
import { question } from './client.js'

/** How many pieces of text a slow stream has. */
export const PIECES = 160

/** A stream of the bundled provider that lasts some two seconds. No two pieces, and no two calls, are alike. */
export function slowStream(call: number): ReplyScript {
  return {
    text: Array.from({ length: PIECES }, (_, piece) => `${call}.${piece}`).join(' '),
    chunkDelayMs: 10,
  }
}

/**
 * The text of a streamed answer, piece by piece as it comes. Who breaks out of it closes the stream; who comes to its
 * end has the whole answer.
 */
export async function* streamedText(client: Anthropic, about: string): AsyncGenerator<string, void> {
  let isWhole = false
  for await (const event of await client.messages.create({ ...question(about), stream: true })) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text
    isWhole ||= event.type === 'message_stop'
  }
  if (!isWhole) throw new Error('The stream ended before the answer did.')
}
