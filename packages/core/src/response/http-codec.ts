import type { Codec, Encoded } from '../answer/codec.js'
import type { Assessment, Dialect } from '../dialect/dialect.js'
import type { Events } from '../observe/events.js'
import { usageOf } from '../observe/usage.js'
import { type JsonObject, parseObject } from '../util/json.js'
import { NOT_KEPT, type Recorded } from './recorded.js'
import { isStream, isSuccess } from './representation.js'
import { readHead, type Spent } from './stored-head.js'

/** The codec of HTTP doors: the exact bytes, with status and headers beside them. */
export function httpCodec(
  { dialect, json, toolCalls }: { dialect: Dialect; json: JsonObject; toolCalls: 'share' | 'store' },
  limitBytes: number,
  events: Events,
): Codec<Recorded> {
  /** An answer that is not understood was paid for, so callers get it. It is not stored, and a warning says so. */
  const assess = (answer: Recorded): Assessment => {
    // Answers outside 2xx are for those who wait now: each caller's own SDK decides whether to retry.
    if (!isSuccess(answer)) return { keep: 'share' }
    if (answer.isUnended) warnUnended()
    try {
      const whole = isStream(answer) ? dialect.streams!.fold(answer) : answer
      if (!isSuccess(whole)) return { keep: 'share' }
      const assessed = dialect.assess(parseObject(new TextDecoder().decode(whole.body)), json)
      if (assessed.doubt !== undefined) warnUnknown(assessed.doubt)
      return answer.isUnended ? { ...assessed, keep: 'share' } : assessed
    } catch (error) {
      // The message of a JSON parser quotes what it read, which may be part of the answer.
      const cause = error instanceof TypeError ? error.message : 'not JSON of this API'
      if (!answer.isUnended) warnUnknown(cause)
      return { keep: 'share' }
    }
  }
  function warnUnknown(cause: string): void {
    events.warn(
      'unknown-answer',
      `An answer to a ${dialect.door} request was not stored, since it was not understood: ${cause}. Callers got it as it came. The same request makes a new call.`,
      `${dialect.door} ${cause}`,
    )
  }
  function warnUnended(): void {
    events.warn(
      'unended-stream',
      `An answer to a ${dialect.door} request was not stored, since its stream ended without the event that says that it is whole. Callers got it as it came. The same request makes a new call.`,
      dialect.door,
    )
  }
  return {
    encode(value): Encoded {
      if (value === NOT_KEPT) {
        events.warn('large-answer', 'A streamed answer grew over maxRecordBytes. It was not stored.')
        return { keep: 'none' }
      }
      const { keep, model, usage } = assess(value)
      const { body, isUnended: _, ...head } = value
      const spent: Spent = {
        ...(typeof model === 'string' && { model }),
        ...(usage && { usage: usageOf(usage) }),
      }
      const answer = { kind: 'http', facts: { ...head, ...spent }, body }
      if (body.byteLength <= limitBytes) {
        const isStored = keep === 'store' || (keep === 'tool-calls' && toolCalls === 'store')
        return { keep: isStored ? 'store' : 'share', answer }
      }
      events.warn(
        'large-answer',
        `An answer of ${body.byteLength} bytes is over maxRecordBytes. It was not stored.`,
      )
      return { keep: 'local', answer }
    },
    decode({ kind, facts, body }, from) {
      if (kind !== 'http') throw new TypeError('not an HTTP answer')
      return { ...readHead(facts, from), body }
    },
    // Transport errors are the owner's own: its connection, its credential. Waiters take over.
    failure: () => undefined,
  }
}
