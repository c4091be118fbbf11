import { type Answer, type Ending, unsealAnswer, unsealEnding } from '../answer/record.js'
import type { Call, Engine, RecordFacts, Settled } from '../call/engine.js'
import { KeyReusedError } from '../errors/caller-errors.js'
import { isStoreError } from '../errors/store-errors.js'
import type { Read, StoredRecord } from '../store/store.js'

/** What a standing record gives this caller. */
export type Replay<T> =
  | { readonly state: 'replayed'; readonly settled: Omit<Settled<T>, 'outcome'> }
  /** Of a newer version of idem: left alone. */
  | { readonly state: 'foreign' }
  /** Not an answer: may be replaced. */
  | { readonly state: 'corrupt' }

/** Reads a record as an answer. Only a whole one that idem itself would have written is ever served. */
export function replayRecord<T>(call: Call<T>, { events }: Engine, record: StoredRecord): Replay<T> {
  const unsealed = unsealAnswer(record.bytes)
  if (unsealed.state === 'foreign') {
    events.warn(
      'foreign-record',
      'A stored record is of a newer version of idem. It is left alone, its key not shared.',
    )
    return unsealed
  }
  // A key that was given and stands for another request has been refused by now: another fingerprint is a fault.
  const isOurs = record.fingerprint === call.fingerprint && Number.isFinite(record.storedAtMs)
  if (unsealed.state === 'sealed' && isOurs) {
    const { answer } = unsealed
    try {
      const value = call.codec.decode(answer, 'record')
      return {
        state: 'replayed',
        settled: { value, answer, record: { storedAtMs: record.storedAtMs, ttlMs: answer.ttlMs } },
      }
    } catch {
      // Falls through to corrupt: whole, but no answer of this door.
    }
  }
  events.warn('corrupt-record', 'A stored record could not be read. The call is made again and replaces it.')
  return { state: 'corrupt' }
}

/** How an execution ended that left no record, read and checked. */
export type Ended<T> =
  | { readonly type: 'answer'; readonly answer: Answer; readonly settled: Settled<T> }
  | Exclude<Ending, { type: 'answer' }>

/** The ending `owner` left; undefined if it left none, or if it was lost or cannot be read. */
export async function findEnding<T>(
  call: Call<T>,
  { store, events }: Engine,
  owner: string,
): Promise<Ended<T> | undefined> {
  try {
    const bytes = await store.readNote(call.id, owner)
    if (!bytes) return undefined
    const ended = readEnding(call, bytes)
    if (!ended) {
      events.warn(
        'corrupt-ending',
        'What another process left of an unstored answer could not be read. The call is made again.',
      )
    }
    return ended
  } catch (error) {
    if (isStoreError(error)) return undefined
    throw error
  }
}

function readEnding<T>(call: Call<T>, bytes: Uint8Array): Ended<T> | undefined {
  const ending = unsealEnding(bytes)
  if (ending?.type !== 'answer') return ending
  const { answer } = ending
  try {
    const value = call.codec.decode(answer, 'ending')
    return { type: 'answer', answer, settled: { outcome: 'collapsed', value, answer } }
  } catch {
    return undefined
  }
}

/**
 * Whether a record is older than this caller's ttl. Its age is by two clocks: where one is wrong, one more call is made,
 * or an answer is given that is a little older.
 */
export function isStale({ ttlMs }: Pick<Call<unknown>, 'ttlMs'>, record: RecordFacts | undefined): boolean {
  const { storedAtMs, ttlMs: keptMs = 0 } = record ?? {}
  return storedAtMs !== undefined && keptMs > ttlMs && Date.now() - storedAtMs > ttlMs
}

/** @throws KeyReusedError where the caller's key stands for another request */
export function assertSameRequest<T>(call: Call<T>, found: Read): void {
  if (found.state === 'absent' || !call.isKeyGiven) return
  const { fingerprint } = found.state === 'completed' ? found.record : found
  // Empty: a value that idem did not write, about to be replaced.
  if (fingerprint !== '' && fingerprint !== call.fingerprint) throw new KeyReusedError()
}

/** Whether a lock names another request than its key does, which is a fault of the store's data. It is told. */
export function isDamaged<T>(lock: { fingerprint: string }, call: Call<T>, { events }: Engine): boolean {
  if (lock.fingerprint === call.fingerprint) return false
  events.warn(
    'corrupt-lock',
    'A lock is damaged: it names another request. Calls of its key are made unshared until it lapses.',
  )
  return true
}
