import type { FailureFacts } from '../errors/execution-errors.js'
import { isMs } from '../util/assert.js'
import { isObject, type JsonObject, utf8 } from '../util/json.js'

/**
 * What is stored of a finished execution: one line of JSON (the head), a newline, and the exact bytes of the answer.
 * `redis-cli GET` shows it readable. The head says how long the body is, so that a cut value is noticed.
 */

/** A finished answer, ready to be stored, sent and handed out any number of times. */
export interface Answer {
  /** The kind of the body, e.g. `json` or `http`. Only the codec that wrote it reads it. */
  readonly kind: string
  /** What is known of the answer beside its bytes, as JSON. */
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

/** How an execution ended without leaving a record. */
export type Ending =
  /** An answer for those who waited, not for later callers. */
  | { readonly type: 'answer'; readonly answer: Answer }
  /** The work rejected; waiters reject too. */
  | { readonly type: 'failed'; readonly failure: FailureFacts }
  /** The answer cannot be sent to others: waiters make their own calls, side by side. */
  | { readonly type: 'unshareable' }

/**
 * - `sealed`: an answer.
 * - `foreign`: written by a version of idem this one does not know. Left alone.
 * - `corrupt`: not written by idem, or cut short. May be replaced.
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

/**
 * Reads a record back. Never throws. What `sealAnswer` would not have written is corrupt; members it does not know are
 * left alone, since a newer minor version may have added them. What the facts say, the codec of the kind checks.
 */
export function unsealAnswer(bytes: Uint8Array): Unsealed {
  const parts = unframe(bytes)
  if (!parts) return { state: 'corrupt' }
  const { head, body } = parts
  if (Number.isSafeInteger(head.v) && (head.v as number) > VERSION) return { state: 'foreign' }
  const { kind, ttlMs, facts } = head
  if (!isWhole(parts) || typeof kind !== 'string' || !isMs(ttlMs) || !isObject(facts))
    return { state: 'corrupt' }
  return { state: 'sealed', answer: { kind, ttlMs, facts, body } }
}

/** The head of a live log; the answer's bytes follow it. */
export function sealHead({ kind, facts }: AnswerHead): Uint8Array {
  return frame({ v: VERSION, live: kind, facts }, new Uint8Array())
}

/**
 * Reads the head of a live log. `cut` while its first line is not whole. Undefined for what `sealHead` would not have
 * written, and for a newer version: such a log is not followed.
 */
export function unsealHead(
  bytes: Uint8Array,
): { readonly head: AnswerHead; readonly rest: Uint8Array } | 'cut' | undefined {
  if (!bytes.includes(NEWLINE)) return bytes.byteLength > MAX_HEAD_BYTES ? undefined : 'cut'
  const parts = unframe(bytes)
  if (parts?.head.v !== VERSION || typeof parts.head.live !== 'string' || !isObject(parts.head.facts)) {
    return undefined
  }
  return { head: { kind: parts.head.live, facts: parts.head.facts }, rest: parts.body }
}

/** The bytes of an ending, as a note holds them. */
export function sealEnding(ending: Ending): Uint8Array {
  if (ending.type === 'answer') {
    const { kind, facts, body } = ending.answer
    return frame({ v: VERSION, ending: 'answer', kind, facts, bytes: body.byteLength }, body)
  }
  const failure = ending.type === 'failed' ? ending.failure : undefined
  return frame({ v: VERSION, ending: ending.type, failure, bytes: 0 }, new Uint8Array())
}

/** Reads an ending back. Undefined for what `sealEnding` would not have written: it counts as lost. */
export function unsealEnding(bytes: Uint8Array): Ending | undefined {
  const parts = unframe(bytes)
  if (!parts || !isWhole(parts)) return undefined
  const { head, body } = parts
  if (head.ending !== 'answer' && body.byteLength > 0) return undefined
  if (head.ending === 'unshareable') return { type: 'unshareable' }
  if (head.ending === 'failed' && isObject(head.failure)) {
    const { name, message, code } = head.failure
    if (typeof name !== 'string' || typeof message !== 'string') return undefined
    if (code !== undefined && typeof code !== 'string') return undefined
    return { type: 'failed', failure: { name, message, ...(code !== undefined && { code }) } }
  }
  if (head.ending === 'answer' && typeof head.kind === 'string' && isObject(head.facts)) {
    return { type: 'answer', answer: { kind: head.kind, facts: head.facts, body } }
  }
  return undefined
}

const NEWLINE = 0x0a
/** Far above any head that idem writes. A longer first line is not a live log. */
const MAX_HEAD_BYTES = 1024 * 1024

function frame(head: Record<string, unknown>, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body])
}

interface Parts {
  readonly head: JsonObject
  readonly body: Uint8Array
}

function isWhole({ head, body }: Parts): boolean {
  return head.v === VERSION && head.bytes === body.byteLength
}

function unframe(bytes: Uint8Array): Parts | undefined {
  try {
    const end = bytes.indexOf(NEWLINE)
    if (end < 0) return undefined
    const head: unknown = JSON.parse(utf8(bytes.subarray(0, end)))
    return isObject(head) ? { head, body: bytes.subarray(end + 1) } : undefined
  } catch {
    return undefined
  }
}
