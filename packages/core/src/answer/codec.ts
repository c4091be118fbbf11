import type { Answer, Ending } from './record.js'

/**
 * Where an answer was read. Less is written to some places than to others. For `live`, everything but the body is
 * known.
 */
export type Origin = 'record' | 'ending' | 'live'

/** How a door turns results into bytes that others can have. */
export interface Codec<T> {
  encode(value: T): Encoded
  /**
   * A copy of its own for each call. The one place where what a store gives back is checked for its kind.
   * @param from where it was read; absent for an answer of this process
   * @throws for what this door would not have written there
   */
  decode(answer: Answer, from?: Origin): T
  /**
   * A copy for a caller in this process of a value that has no bytes; undefined if there is no faithful one. Absent
   * where callers are not given copies.
   */
  copy?(value: T): { readonly value: T } | undefined
  /** What waiters elsewhere are told when the work rejects. Undefined: nothing, and they make the call themselves. */
  failure(error: unknown): Ending | undefined
}

export type Encoded =
  /** `store`: for everybody until the ttl. `share`: for callers that wait now. `local`: for this process alone. */
  | { readonly keep: 'store' | 'share' | 'local'; readonly answer: Answer }
  /** No bytes can bring the value back. */
  | { readonly keep: 'none' }
