import { isStoreError } from '../errors/store-errors.js'
import { storeKey } from '../key/key.js'
import type { Read } from '../store/store.js'
import type { Call, Engine } from './engine.js'

/**
 * The same call as one that replaces the record of its key. It has a lock of its own, so that the old record is
 * replayed meanwhile, and refreshes at the same time are one call.
 */
export function refreshing<T>(call: Call<T>): Call<T> {
  return { ...call, id: storeKey('refresh', call.id, ''), replaces: call.id }
}

/** The record that a refresh is going to replace. Absent if there is none, or the store cannot say. */
export async function standing(key: string, { store }: Engine): Promise<Read> {
  try {
    return await store.read(key)
  } catch (error) {
    if (isStoreError(error)) return { state: 'absent' }
    throw error
  }
}
