import type { Codec, Encoded } from '../engine.js'
import type { Dialect, HttpAnswer, HttpRequest } from './dialect.js'
import { isStream, isSuccess } from './forms.js'
import { NOT_KEPT, type Recorded } from './recorded.js'

/** The codec of HTTP doors: the exact bytes, status and headers beside them. */
export function httpCodec(
  dialect: Dialect,
  request: HttpRequest,
  limitBytes: number,
  warn: (topic: string, message: string) => void,
): Codec<Recorded> {
  const assess = (answer: HttpAnswer) => {
    // Answers outside 2xx are for those who wait now: each caller's own SDK decides whether to retry.
    if (!isSuccess(answer)) return { keep: 'share' as const }
    try {
      const whole = isStream(answer) ? dialect.streams!.fold(answer) : answer
      return isSuccess(whole) ? dialect.assess(request, whole) : { keep: 'share' as const }
    } catch {
      return { keep: 'share' as const } // 200, but not what the dialect knows: paid for, so not lost; not stored.
    }
  }
  return {
    encode(value): Encoded {
      if (value === NOT_KEPT) {
        warn('large-answer', 'A streamed answer grew over recordLimitBytes. It was not stored.')
        return { keep: 'none' }
      }
      const { keep, tokens } = { tokens: undefined, ...assess(value) }
      const { body, ...head } = value
      const answer = { kind: 'http', facts: { ...head, ...(tokens && { tokens }) }, body }
      if (body.byteLength <= limitBytes) return { keep, answer }
      warn(
        'large-answer',
        `An answer of ${body.byteLength} bytes is over recordLimitBytes. It was not stored.`,
      )
      return { keep: 'local', answer }
    },
    decode({ kind, facts, body }) {
      const { status, headers, askedStream } = facts as unknown as Recorded
      // What a Response would refuse: a record with it is none.
      const isAnswer = kind === 'http' && Number.isInteger(status) && status >= 200 && status <= 599
      if (!isAnswer) throw new TypeError('not an HTTP answer')
      return {
        status,
        headers: [...new Headers(headers.map(([name, value]) => [name, value]))],
        body,
        askedStream: askedStream === true,
      }
    },
    // Transport errors are the owner's own: its connection, its credential. Waiters take over.
    failure: () => undefined,
  }
}
