import { eventReader, eventText, type StreamFormat, type StreamInspector } from '@idem/core'
import { expand } from './expand.js'
import { fold } from './fold.js'

/** How the Messages API streams. */
export const messagesStreams: StreamFormat = {
  inspect() {
    let state: StreamInspector['state'] = 'running'
    const push = eventReader(({ name }) => {
      if (state !== 'running') return
      if (name === 'message_stop') state = 'whole'
      else if (name === 'error') state = 'failed'
    })
    return {
      push,
      get state() {
        return state
      },
    }
  },
  fold,
  expand,
  ping: eventText('ping', '{"type": "ping"}'),
  errorEvent: (body) => eventText('error', new TextDecoder().decode(body)),
}
