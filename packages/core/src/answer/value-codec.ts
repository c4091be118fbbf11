import { isDeepStrictEqual } from 'node:util'
import type { FailureFacts } from '../errors/execution-errors.js'
import { unfitForJson, utf8 } from '../util/json.js'
import type { Codec, Encoded } from './codec.js'
import type { Answer } from './record.js'

/**
 * The codec of `run`: JSON, and `undefined`. What JSON would change (a Date, a Map, a BigInt, NaN, -0) goes to the
 * callers of this process as it is and is not stored.
 */
export function valueCodec(
  limitBytes: number,
  warn: (topic: string, message: string) => void,
): Codec<unknown> {
  /** The text of the answer that callers of a flight are given copies of, one after the other. */
  let copied: { readonly body: Uint8Array; readonly text: string } | undefined

  return {
    encode(value): Encoded {
      if (value === undefined)
        return { keep: 'store', answer: { kind: 'undefined', facts: {}, body: new Uint8Array() } }
      const problem = obstacle(value)
      if (problem) {
        warn(
          'unfit-value',
          `A result holds ${problem}, which JSON cannot hold. It was returned, but not stored or shared.`,
        )
        return { keep: 'none' }
      }
      const answer: Answer = { kind: 'json', facts: {}, body: Buffer.from(JSON.stringify(value)) }
      if (answer.body.byteLength <= limitBytes) return { keep: 'store', answer }
      warn(
        'large-answer',
        `A result of ${answer.body.byteLength} bytes is over maxRecordBytes. It was not stored.`,
      )
      return { keep: 'local', answer }
    },
    decode({ kind, body }, from) {
      if (kind === 'undefined' && body.byteLength === 0) return undefined
      if (kind !== 'json') throw new TypeError(`not a value: ${kind}`)
      if (from !== undefined) return JSON.parse(utf8(body))
      if (copied?.body !== body) copied = { body, text: utf8(body) }
      return JSON.parse(copied.text)
    },
    copy(value) {
      try {
        const copy = structuredClone(value)
        return isDeepStrictEqual(copy, value) ? { value: copy } : undefined
      } catch {
        return undefined // A function or a socket, say, which cannot be copied.
      }
    },
    failure: (error) => ({ type: 'failed', failure: factsOf(error) }),
  }
}

/** The part of a rejection that can be sent, whatever was thrown. */
function factsOf(error: unknown): FailureFacts {
  try {
    const { name, message, code } = Object(error) as Record<string, unknown>
    const facts = { name: String(name ?? 'Error'), message: String(message ?? error) }
    return typeof code === 'string' ? { ...facts, code } : facts
  } catch {
    return { name: 'Error', message: 'The work rejected with something that cannot be shown.' }
  }
}

function obstacle(value: unknown): string | undefined {
  try {
    return unfitForJson(value, { exact: true })
  } catch {
    return 'a member that cannot be read'
  }
}
