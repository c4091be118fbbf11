import type { FailureFacts } from './errors/execution-failed-error.js'
import { isObject } from './json.js'

/**
 * What is stored of a finished execution: one line of JSON (the head), a newline, and the exact bytes of the answer.
 * `redis-cli GET` shows it readable. The head says how long the body is, so that a cut value is noticed.
 */

/** A finished answer, ready to be stored, sent and handed out any number of times. */
export interface Answer {
  /** What the body is, e.g. `json` or `http`: only the codec that wrote it reads it. */
  readonly kind: string
  /** What is known of the answer besides its bytes; JSON. */
  readonly facts: Readonly<Record<string, unknown>>
  /** The exact bytes. */
  readonly body: Uint8Array
}

/** What is known of an answer before its first byte. */
export type AnswerHead = Omit<Answer, 'body'>

/** An answer with what the record says about keeping it. */
export interface SealedAnswer extends Answer {
  /** How long the record was to be kept, ms. */
  readonly ttlMs: number
}

/** How an execution ended that left no record. */
export type Ending =
  /** An answer for those who waited, not for later callers. */
  | { readonly type: 'answer'; readonly answer: Answer }
  /** The work rejected; waiters reject too. */
  | { readonly type: 'failed'; readonly failure: FailureFacts }
  /** Its answer cannot be sent to others: waiters make their own calls, side by side. */
  | { readonly type: 'unshareable' }

/**
 * - `sealed`: an answer.
 * - `foreign`: written by a version of idem this one does not know. Left alone.
 * - `corrupt`: nothing that idem wrote, or cut short. May be replaced.
 */
export type Unsealed =
  | { readonly state: 'sealed'; readonly answer: SealedAnswer }
  | { readonly state: 'foreign' }
  | { readonly state: 'corrupt' }

const VERSION = 1

/** The bytes of a record. */
export function sealAnswer(answer: Answer, ttlMs: number): Uint8Array {
  const { kind, facts, body } = answer
  return frame({ v: VERSION, kind, ttlMs, facts, bytes: body.byteLength }, body)
}

/** Reads a record back. Never throws: whatever is not a whole record of a known version is said to be so. */
export function unsealAnswer(bytes: Uint8Array): Unsealed {
  const parts = unframe(bytes)
  if (!parts) return { state: 'corrupt' }
  const { head, body } = parts
  if (typeof head.v === 'number' && head.v > VERSION) return { state: 'foreign' }
  const { kind, ttlMs, facts } = head
  const whole = head.v === VERSION && head.bytes === body.byteLength
  if (!whole || typeof kind !== 'string' || typeof ttlMs !== 'number' || !isObject(facts))
    return { state: 'corrupt' }
  return { state: 'sealed', answer: { kind, ttlMs, facts, body } }
}

/** What a live log begins with; the answer's bytes follow. */
export function sealHead({ kind, facts }: AnswerHead): Uint8Array {
  return frame({ v: VERSION, live: kind, facts }, new Uint8Array())
}

/**
 * Reads what a live log begins with. `cut` while its first line is not whole; undefined for a log that is not of this
 * version: then there is nothing to follow.
 */
export function unsealHead(
  bytes: Uint8Array,
): { readonly head: AnswerHead; readonly rest: Uint8Array } | 'cut' | undefined {
  if (!bytes.includes(NEWLINE)) return 'cut'
  const parts = unframe(bytes)
  if (parts?.head.v !== VERSION || typeof parts.head.live !== 'string' || !isObject(parts.head.facts)) {
    return undefined
  }
  return { head: { kind: parts.head.live, facts: parts.head.facts }, rest: parts.body }
}

/** The bytes of an ending. */
export function sealEnding(ending: Ending): Uint8Array {
  if (ending.type === 'answer') {
    const { kind, facts, body } = ending.answer
    return frame({ v: VERSION, ending: 'answer', kind, facts, bytes: body.byteLength }, body)
  }
  const failure = ending.type === 'failed' ? ending.failure : undefined
  return frame({ v: VERSION, ending: ending.type, failure, bytes: 0 }, new Uint8Array())
}

/** Reads an ending back; undefined for anything else, as if it had been lost. */
export function unsealEnding(bytes: Uint8Array): Ending | undefined {
  const parts = unframe(bytes)
  if (!parts) return undefined
  const { head, body } = parts
  if (head.v !== VERSION || head.bytes !== body.byteLength) return undefined
  if (head.ending === 'unshareable') return { type: 'unshareable' }
  if (head.ending === 'failed' && isObject(head.failure)) {
    const { name, message, code } = head.failure
    const failure = { name: String(name), message: String(message) }
    return { type: 'failed', failure: typeof code === 'string' ? { ...failure, code } : failure }
  }
  if (head.ending === 'answer' && typeof head.kind === 'string' && isObject(head.facts)) {
    return { type: 'answer', answer: { kind: head.kind, facts: head.facts, body } }
  }
  return undefined
}

const NEWLINE = 0x0a

function frame(head: Record<string, unknown>, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body])
}

function unframe(bytes: Uint8Array): { head: Record<string, unknown>; body: Uint8Array } | undefined {
  const end = bytes.indexOf(NEWLINE)
  if (end < 0) return undefined
  try {
    const head: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('utf8'))
    return isObject(head) ? { head, body: bytes.subarray(end + 1) } : undefined
  } catch {
    return undefined
  }
}
