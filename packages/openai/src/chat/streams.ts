import { eventText, inspector, isObject, type StreamFormat } from '@idem/core'
import { errorIn } from '../errors.js'
import { PING, readJson } from '../streams.js'
import { expand } from './expand.js'
import { fold } from './fold.js'

/** How the Chat Completions API streams: events without a name, and `[DONE]` as the last. */
export const chatStreams: StreamFormat = {
  inspect: () =>
    inspector(({ data }) => {
      if (data.startsWith('[DONE]')) return 'whole'
      return data.includes('"error"') && hasError(readJson(data)) ? 'failed' : undefined
    }),
  fold,
  expand,
  ping: PING,
  errorEvent: (body) => eventText('', JSON.stringify({ error: errorIn(body) })),
}

function hasError(chunk: unknown): boolean {
  return isObject(chunk) && Boolean(chunk.error)
}
