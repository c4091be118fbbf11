import type { Call, Engine, Settled } from './engine.js'
import { ExecutionFailedError } from './errors/execution-failed-error.js'
import { isStoreError } from './guard.js'
import { type Ending, unsealAnswer, unsealEnding } from './record.js'
import type { StoredRecord } from './store.js'

/** What a standing record gives this caller. */
export type Replay<T> =
  | { readonly state: 'replayed'; readonly settled: Omit<Settled<T>, 'outcome'> }
  /** Of a newer version of idem: left alone. */
  | { readonly state: 'foreign' }
  /** Not an answer: may be replaced. */
  | { readonly state: 'corrupt' }

/** Reads a record as an answer. Only a whole one that decodes is ever served. */
export function replayRecord<T>(call: Call<T>, { events }: Engine, record: StoredRecord): Replay<T> {
  const unsealed = unsealAnswer(record.bytes)
  if (unsealed.state === 'foreign') {
    events.warn(
      'foreign-record',
      'A stored record is of a newer version of idem. It is left alone, its key not shared.',
    )
    return unsealed
  }
  if (unsealed.state === 'sealed') {
    const { answer } = unsealed
    try {
      const value = call.codec.decode(answer)
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

/** The ending `owner` left; undefined if it left none, or if it was lost. */
export async function findEnding<T>(
  call: Call<T>,
  { store }: Engine,
  owner: string,
): Promise<Ending | undefined> {
  try {
    const bytes = await store.ending(call.id, owner)
    return bytes && unsealEnding(bytes)
  } catch (error) {
    if (isStoreError(error)) return undefined
    throw error
  }
}

/**
 * What an ending gives those who waited for it; undefined: nothing, so make the call yourself.
 * @throws ExecutionFailedError when the work failed
 */
export function replayEnding<T>(call: Call<T>, ending: Ending): Settled<T> | undefined {
  if (ending.type === 'failed') throw new ExecutionFailedError(ending.failure)
  if (ending.type === 'unshareable') return undefined
  try {
    return { outcome: 'collapsed', value: call.codec.decode(ending.answer), answer: ending.answer }
  } catch {
    return undefined
  }
}
