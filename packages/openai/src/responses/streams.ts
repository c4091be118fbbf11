import { eventText, inspector, type StreamFormat } from '@idem/core/dialect'
import { errorIn } from '../errors.js'
import { PING } from '../streams.js'
import { ResponseWatch } from './events.js'
import { expand } from './expand.js'
import { fold } from './fold.js'

/** How the Responses API streams: named events, of which the last holds the whole response. */
export const responsesStreams: StreamFormat = {
  inspect: () => inspector(new ResponseWatch()),
  fold,
  expand,
  ping: PING,
  // The members as the API documents them, and the object that the SDK throws errors for.
  errorEvent(body) {
    const error = errorIn(body)
    const { message, code = null, param = null } = error
    const event = { type: 'error', code, message, param, error, sequence_number: 0 }
    return eventText('error', JSON.stringify(event))
  },
}
