import { eventText, inspector, type StreamFormat } from '@idem/core'
import { errorIn } from '../errors.js'
import { PING } from '../streams.js'
import { endOf } from './events.js'
import { expand } from './expand.js'
import { fold } from './fold.js'

/** How the Responses API streams: named events, of which the last holds the whole response. */
export const responsesStreams: StreamFormat = {
  inspect: () => inspector(endOf),
  fold,
  expand,
  ping: PING,
  // The members as the API documents them, and the object the SDK throws at.
  errorEvent(body) {
    const error = errorIn(body)
    const { message, code = null, param = null } = error
    const event = { type: 'error', code, message, param, error, sequence_number: 0 }
    return eventText('error', JSON.stringify(event))
  },
}
