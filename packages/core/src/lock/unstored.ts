import { type Answer, sealAnswer } from '../answer/record.js'
import { RETRY_MS } from '../call/commits.js'
import { type Call, type Engine, keyOf } from '../call/engine.js'
import { isStoreError, StoreError, StoreUnavailableError } from '../errors/store-errors.js'
import type { Claim } from '../store/store.js'
import { BEGUN, clearMark } from './begun-mark.js'
import type { Failed, Lock } from './lock.js'

/** The text after the owner in a mark that means: executed, and the answer could not be stored. */
const UNSTORED = ' unstored'

/**
 * Takes care of an answer whose record could not be written. It is given to later callers of this process, and its
 * commit is tried again. Where the server is there and refuses, duplicates elsewhere are not left to wait for the lock:
 * they are given the answer as an ending, and the lock is given up.
 *
 * With `ifStoreFails: 'reject'` a mark is left first, so that nobody makes the call again. Without the mark the lock is
 * kept for as long as the commit is tried.
 */
export async function keepUnstored<T>(
  call: Call<T>,
  engine: Engine,
  { lock, claim, answer }: { readonly lock: Lock; readonly claim: Claim; readonly answer: Answer },
  { error }: Failed,
): Promise<void> {
  const isClosed = call.ifStoreFails === 'reject'
  const bytes = sealAnswer(answer, call.ttlMs)
  let isMarked = false
  const letGo = isClosed ? lock.keep() : () => {}
  engine.commits.add({
    id: call.id,
    fingerprint: call.fingerprint,
    answer,
    ttlMs: call.ttlMs,
    isLocked: lock.isHeld,
    retryMs: isClosed ? call.ttlMs : Math.min(RETRY_MS, call.ttlMs),
    error,
    commit: () => engine.store.complete(call.id, claim, bytes, call.ttlMs),
    onEnd(isSettled) {
      letGo()
      if (isSettled && isMarked) engine.background.add(clearMark(engine, keyOf(call)))
    },
  })
  if (error && error.refused === undefined) {
    engine.events.warn(
      'stored-late',
      `An answer could not be stored yet (${error.message}). This process replays it, and stores it when the store is back; other processes may make the call again.`,
    )
  }
  if (!lock.isHeld || error?.refused === undefined) return
  isMarked = isClosed && (await markUnstored(call, engine, claim))
  if (!isClosed || isMarked) await lock.giveUp({ type: 'answer', answer })
}

/**
 * Leaves the mark, for as long as the record would have lived.
 * @returns whether it is there
 */
export async function markUnstored<T>(call: Call<T>, { store }: Engine, { owner }: Claim): Promise<boolean> {
  // A mark that says more is there already.
  if (call.ifOwnerLost === 'reject') return true
  try {
    const ms = call.maxExecutionMs + call.ttlMs
    await store.leaveNote(keyOf(call), BEGUN, Buffer.from(`${owner}${UNSTORED}`), ms)
    return true
  } catch (error) {
    if (isStoreError(error)) return false
    throw error
  }
}

/**
 * Call it under the lock, before a call that must not be made twice.
 * @throws StoreUnavailableError where an earlier execution could not store its answer, or where it cannot be known
 */
export async function assertNoneUnstored<T>(call: Call<T>, { store }: Engine): Promise<void> {
  const found = await store.readNote(keyOf(call), BEGUN).catch((error) => {
    throw isStoreError(error) ? new StoreUnavailableError(error) : error
  })
  if (!found || !Buffer.from(found).toString('latin1').endsWith(UNSTORED)) return
  throw new StoreUnavailableError(
    new StoreError(
      'An earlier call of this key was made, and the store refused its answer. Mend the store; idem.forget(key) then lets the call be made again.',
      { effect: 'none' },
    ),
  )
}
