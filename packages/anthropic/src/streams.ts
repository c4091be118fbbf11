import { eventText, inspector, type StreamFormat } from '@idem/core/dialect'
import { MessageWatch } from './events.js'
import { expand } from './expand.js'
import { fold } from './fold.js'

/** How the Messages API streams. */
export const messagesStreams: StreamFormat = {
  inspect: () => inspector(new MessageWatch()),
  fold,
  expand,
  ping: eventText('ping', '{"type": "ping"}'),
  errorEvent: (body) => eventText('error', new TextDecoder().decode(body)),
}
