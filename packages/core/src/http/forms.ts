import type { HttpAnswer, StreamFormat } from './dialect.js'
import type { Recorded } from './recorded.js'

const EVENT_STREAM = 'text/event-stream'

/** The content type of a stream that is none of the provider's own. */
export const STREAM_TYPE = `${EVENT_STREAM}; charset=utf-8`

export function isSuccess({ status }: Pick<HttpAnswer, 'status'>): boolean {
  return status >= 200 && status <= 299
}

/** Whether an answer is a stream of events; errors are not, whatever was asked for, nor answers without a body. */
export function isStream(answer: Pick<HttpAnswer, 'status' | 'headers'>): boolean {
  const type = answer.headers.find(([name]) => name === 'content-type')?.[1] ?? ''
  return answer.status === 200 && type.toLowerCase().startsWith(EVENT_STREAM)
}

/**
 * The answer in the form a caller asked for. An answer outside 2xx has one form; and what the provider gave to a request
 * of this very form is passed on as it is, whatever it is. Undefined where there is no such form.
 */
export function inForm(
  answer: Recorded,
  streaming: boolean,
  streams: StreamFormat | undefined,
): HttpAnswer | undefined {
  if (!streams || !isSuccess(answer) || isStream(answer) === streaming) return answer
  try {
    const converted = streaming ? streams.expand(answer) : streams.fold(answer)
    const type = streaming ? STREAM_TYPE : 'application/json'
    const others = converted.headers.filter(([name]) => name !== 'content-type')
    return { ...converted, headers: [...others, ['content-type', type]] }
  } catch {
    return answer.askedStream === streaming ? answer : undefined
  }
}
