import type { Callers } from '../call/callers.js'
import type { Call, Engine, Settled } from '../call/engine.js'
import { UncertainError } from '../errors/execution-errors.js'
import { isStoreError, StoreError, StoreUnavailableError } from '../errors/store-errors.js'
import { tellFailedOpen } from '../observe/events.js'
import { BegunMark } from './begun-mark.js'
import { execute } from './execute.js'
import { type ClaimedLock, release } from './lock.js'
import { assertNoneUnstored } from './unstored.js'

/**
 * Makes the call, and first sees that it may be made. An effect that must not happen twice leaves a mark before it
 * begins. `unreachable` is why there is no lock, where the call is made without the store.
 */
export async function makeCall<T>(
  call: Call<T>,
  engine: Engine,
  callers: Callers,
  lock?: ClaimedLock,
  unreachable?: StoreError,
): Promise<Settled<T>> {
  const mark = await begin(call, engine, callers, lock, unreachable)
  if (!mark) return execute(call, engine, callers, lock)
  const settled = await execute({ ...call, work: mark.work }, engine, callers, lock)
  // The record says more than the mark, and the mark would outlive it.
  if (settled.record) engine.background.add(mark.clear())
  return settled
}

/** For a key whose value can be neither read nor replaced: the value is left alone, and the call is not shared. */
export async function makeCallAlone<T>(call: Call<T>, engine: Engine, callers: Callers): Promise<Settled<T>> {
  if (call.ifStoreFails === 'reject' && call.ifOwnerLost === 'execute') {
    const why = 'What stands under this key cannot be read by this version of idem, and is left alone.'
    throw new StoreUnavailableError(new StoreError(why, { effect: 'none' }))
  }
  return makeCall(call, engine, callers)
}

/** Checks that the work may begin. If not, the lock is given back. */
async function begin<T>(
  call: Call<T>,
  engine: Engine,
  callers: Callers,
  lock: ClaimedLock | undefined,
  unreachable: StoreError | undefined,
): Promise<BegunMark<T> | undefined> {
  try {
    callers.assertAny()
    if (unreachable) tellFailedOpen(engine.events, unreachable)
    if (lock?.held && call.ifStoreFails === 'reject') await assertKeepable(call, engine)
    if (call.ifOwnerLost === 'execute') return undefined
    // Without the lock another process may be making the call, or may have made it.
    if (!lock) throw new UncertainError()
    const mark = new BegunMark(call, engine, lock.claim)
    await mark.leave()
    return mark
  } catch (error) {
    if (lock) await release(call, engine, lock.claim)
    throw isStoreError(error) ? new StoreUnavailableError(error) : error
  }
}

/**
 * For calls that must not be made twice: checks that the answer can be stored, and that no earlier one failed to be.
 */
async function assertKeepable<T>(call: Call<T>, engine: Engine): Promise<void> {
  await engine.probe.canRecord()
  // The mark of an effect is asked for anyway, and says more.
  if (call.ifOwnerLost === 'execute') await assertNoneUnstored(call, engine)
}
