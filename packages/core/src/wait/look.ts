import type { Call, Engine } from '../call/engine.js'
import { isIdemError } from '../errors/idem-error.js'
import { isStoreError, StoreError, type UnsupportedServerError } from '../errors/store-errors.js'
import type { Claim, Found, Read } from '../store/store.js'

export type Looked =
  | Found
  | Read
  /** `isUnsupported`: the server is too old, and must not be sent anything. */
  | { readonly state: 'unreachable'; readonly error: StoreError; readonly isUnsupported?: boolean }

/** Takes the lock or says what stands. A reply that was lost is asked for again: the owner tells whose lock it is. */
export async function look<T>(
  call: Call<T>,
  { store, leaseMs }: Engine,
  claim: Claim,
  replacing: Uint8Array | undefined,
): Promise<Looked> {
  const acquire = () => store.acquire(call.id, claim, leaseMs, replacing && { replacing }, call.maxStoreMs)
  try {
    const found = await acquire()
    if (found.state !== 'locked' || found.owner !== claim.owner) return found
    // Ours: the first reply was lost, and with it part of the lease.
    const renewed = await store.renew(call.id, claim, leaseMs)
    return renewed === 'held' || renewed === 'retaken' ? { state: 'acquired' } : await acquire()
  } catch (error) {
    if (isStoreError(error)) return { state: 'unreachable', error }
    if (!isUnsupported(error) || call.ifStoreFails === 'reject') throw error
    const { message } = error
    const reason = new StoreError(message, { effect: 'none', refused: 'unsupported-server', cause: error })
    return { state: 'unreachable', error: reason, isUnsupported: true }
  }
}

/** What stands, without taking the lock. */
export async function peek<T>({ id, maxStoreMs }: Call<T>, { store }: Engine): Promise<Looked> {
  try {
    return await store.read(id, maxStoreMs)
  } catch (error) {
    if (isStoreError(error)) return { state: 'unreachable', error }
    throw error
  }
}

/** Never to be retried, and no failure of a command: the server is too old. */
function isUnsupported(error: unknown): error is UnsupportedServerError {
  return isIdemError(error) && error.code === 'IDEM_UNSUPPORTED_SERVER'
}
