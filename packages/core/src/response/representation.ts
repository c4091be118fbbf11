import type { HttpAnswer, StreamFormat } from '../dialect/dialect.js'
import type { Recorded } from './recorded.js'

const EVENT_STREAM = 'text/event-stream'

/** The content type of a stream that idem makes itself. */
export const STREAM_TYPE = `${EVENT_STREAM}; charset=utf-8`

export function isSuccess({ status }: Pick<HttpAnswer, 'status'>): boolean {
  return status >= 200 && status <= 299
}

/** Whether an answer is declared to be a stream of events; errors are not, nor answers without a body. */
export function isEventStream(status: number, contentType: string | null | undefined): boolean {
  return status === 200 && (contentType ?? '').toLowerCase().startsWith(EVENT_STREAM)
}

/** Whether an answer is a stream of events: what its owner found, or what is declared where that was not written down. */
export function isStream(answer: Pick<Recorded, 'status' | 'headers' | 'isStream'>): boolean {
  const type = () => answer.headers.find(([name]) => name === 'content-type')?.[1]
  return answer.isStream ?? isEventStream(answer.status, type())
}

/**
 * The answer in the form a caller asked for; an answer outside 2xx has one form. Where it cannot be converted, callers
 * that asked for the form its own request had asked for get it as it is. For all others it is undefined: they make
 * their own calls.
 */
export function inRepresentation(
  answer: Recorded,
  streaming: boolean,
  streams: StreamFormat | undefined,
): Recorded | undefined {
  if (!streams || !isSuccess(answer) || isStream(answer) === streaming) return answer
  try {
    const converted = streaming ? streams.expand(answer) : streams.fold(answer)
    const type = streaming ? STREAM_TYPE : 'application/json'
    const others = converted.headers.filter(([name]) => name !== 'content-type')
    // A stream that ended in an error becomes an error answer, of which the provider gave no reason.
    const statusText = converted.status === answer.status ? answer.statusText : ''
    const asked = [...others, ['content-type', type]] as const
    return { ...answer, ...converted, statusText, headers: asked, isStream: streaming }
  } catch {
    return answer.askedStream === streaming ? answer : undefined
  }
}
