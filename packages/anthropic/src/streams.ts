import { eventText, inspector, type StreamFormat } from '@idem/core'
import { expand } from './expand.js'
import { fold } from './fold.js'

/** How the Messages API streams. */
export const messagesStreams: StreamFormat = {
  inspect: () =>
    inspector(({ name }) => {
      if (name === 'message_stop') return 'whole'
      return name === 'error' ? 'failed' : undefined
    }),
  fold,
  expand,
  ping: eventText('ping', '{"type": "ping"}'),
  errorEvent: (body) => eventText('error', new TextDecoder().decode(body)),
}
