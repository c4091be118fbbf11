import type { Codec, Encoded } from '../engine.js'
import type { Events } from '../events.js'
import { type JsonObject, parseObject } from '../json.js'
import { type Usage, usageOf } from '../usage/usage.js'
import type { Assessment, Dialect, HttpAnswer } from './dialect.js'
import { isStream, isSuccess } from './forms.js'
import { NOT_KEPT, type Recorded } from './recorded.js'

/** What is known of what an answer cost; part of its facts. */
export interface Spent {
  readonly model?: string
  readonly usage?: Usage
}

/** The codec of HTTP doors: the exact bytes, status and headers beside them. */
export function httpCodec(
  { dialect, json, toolCalls }: { dialect: Dialect; json: JsonObject; toolCalls: 'share' | 'store' },
  limitBytes: number,
  events: Events,
): Codec<Recorded> {
  const assess = (answer: HttpAnswer): Assessment => {
    // Answers outside 2xx are for those who wait now: each caller's own SDK decides whether to retry.
    if (!isSuccess(answer)) return { keep: 'share' }
    try {
      const whole = isStream(answer) ? dialect.streams!.fold(answer) : answer
      if (!isSuccess(whole)) return { keep: 'share' }
      return dialect.assess(parseObject(new TextDecoder().decode(whole.body)), json)
    } catch {
      return { keep: 'share' } // 200, but not what the dialect knows: paid for, so not lost; not stored.
    }
  }
  return {
    encode(value): Encoded {
      if (value === NOT_KEPT) {
        events.warn('large-answer', 'A streamed answer grew over recordLimitBytes. It was not stored.')
        return { keep: 'none' }
      }
      const { keep, model, usage } = assess(value)
      const { body, ...head } = value
      const spent: Spent = { ...(model !== undefined && { model }), ...(usage && { usage: usageOf(usage) }) }
      const answer = { kind: 'http', facts: { ...head, ...spent }, body }
      if (body.byteLength <= limitBytes) {
        const isStored = keep === 'store' || (keep === 'tool-calls' && toolCalls === 'store')
        return { keep: isStored ? 'store' : 'share', answer }
      }
      events.warn(
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
