import { findEnding, replayEnding, replayRecord } from './answer.js'
import type { Callers } from './callers.js'
import type { Call, Engine, RecordFacts, Settled } from './engine.js'
import { KeyReusedError } from './errors/key-reused-error.js'
import type { StoreError } from './errors/store-error.js'
import { StoreUnavailableError } from './errors/store-unavailable-error.js'
import { UncertainError } from './errors/uncertain-error.js'
import { WaitTimeoutError } from './errors/wait-timeout-error.js'
import { execute } from './execute.js'
import { Follow } from './follow.js'
import { isStoreError } from './guard.js'
import { type ClaimedLock, newOwner } from './lock.js'
import { refreshing, standing } from './refresh.js'
import type { Claim, Found, Read, StoredRecord } from './store.js'
import { Trace } from './trace.js'
import { Wait } from './wait.js'
import { WaiterMark } from './waiter-mark.js'

/**
 * The protocol, as one request lives it:
 *
 * | the key is | then |
 * | --- | --- |
 * | completed | replay the record; one that cannot be read, or is older than this caller's ttl, is replaced |
 * | acquired | make the call under the lock |
 * | locked | follow what there is of the answer, wait, look again; an owner without a record may have left an ending |
 * | unreachable | make the call all the same; where an owner was seen at work, only after another lease |
 */
export async function run<T>(call: Call<T>, engine: Engine, callers: Callers): Promise<Settled<T>> {
  const claim: Claim = { owner: newOwner(), fingerprint: call.fingerprint }
  const waitUntil = performance.now() + call.maxWaitMs
  let wait: Wait | undefined
  let owner: string | undefined
  let replacing: Uint8Array | undefined
  let aloneAt: number | undefined
  const follow = call.isLive && engine.store.tail ? new Follow(call, engine, callers.begin) : undefined
  const trace = call.onLostOwner === 'error' ? new Trace(call, engine, claim) : undefined
  const mark = call.onAbandon === 'cancel' ? new WaiterMark(engine, call.id) : undefined

  const go = async (lock?: ClaimedLock, unreachable?: StoreError) => {
    wait?.stop()
    // Whoever has a part of another answer cannot go on with this one, and has left.
    follow?.interrupt()
    try {
      callers.assertAny()
    } catch (nobody) {
      if (lock) await release(call, engine, claim)
      throw nobody
    }
    if (unreachable) failedOpen(engine, unreachable)
    if (!trace) return execute(call, engine, callers, lock)
    // Without the lock somebody else may be at it, or done with it.
    if (!lock) throw new UncertainError()
    await leaveTrace(trace, call, engine, claim)
    const settled = await execute({ ...call, work: trace.work }, engine, callers, lock)
    // It says less than the record, and is not to outlive it.
    if (settled.record) engine.background.add(trace.clear())
    return settled
  }

  try {
    if (call.replaces) {
      const old = await standing(call.replaces, engine)
      assertSameRequest(call, old)
      // Not ours to replace.
      if (old.state === 'completed' && isForeign(call, engine, old.record)) return await go()
    }
    for (;;) {
      const found = await look(call, engine, claim, replacing)
      if (found.state !== 'unreachable') aloneAt = undefined

      if (owner && hasLeft(owner, found)) {
        const ending = await findEnding(call, engine, owner)
        if (ending) {
          if (found.state === 'acquired') await release(call, engine, claim)
          if (ending.type === 'answer') follow?.finish(owner, ending.answer)
          return replayEnding(call, ending) ?? (await go())
        }
      }

      switch (found.state) {
        case 'completed': {
          assertSameRequest(call, found)
          const replay = replayRecord(call, engine, found.record)
          const outcome = wait ? 'collapsed' : 'replayed'
          if (replay.state === 'replayed') {
            // Good for others, not for this caller: they are given it while there is no newer one.
            if (!wait && isStale(call, replay.settled.record))
              return await run(refreshing(call), engine, callers)
            if (replay.settled.answer) follow?.finish(found.record.owner, replay.settled.answer)
            return { ...replay.settled, outcome }
          }
          // Foreign: not ours to destroy. Corrupt a second time: the store does not replace it.
          if (replay.state === 'foreign' || replacing) return await go()
          replacing = found.record.bytes
          break
        }
        case 'acquired':
          return await go({ claim, held: true })
        case 'locked':
          assertSameRequest(call, found)
          // Who is given an answer bit by bit is not waiting for it.
          if (performance.now() > waitUntil && !follow?.isUnderWay) {
            if (engine.onWaitTimeout === 'execute') return await go()
            throw new WaitTimeoutError(call.maxWaitMs)
          }
          owner = found.owner
          wait ??= new Wait(engine.store, call.id, engine, follow?.hear)
          mark?.refresh(owner)
          await follow?.look(owner)
          await callers.wait(wait.next)
          break
        case 'unreachable':
          if (call.onStoreError === 'closed') throw new StoreUnavailableError(found.error)
          // The owner seen is probably well: another lease of patience, jittered, before a second call.
          aloneAt ??= performance.now() + engine.leaseMs * (1 + Math.random())
          if (!wait || performance.now() > aloneAt) {
            return await go({ claim, held: false }, found.error)
          }
          await callers.wait(wait.next)
      }
    }
  } finally {
    wait?.stop()
    follow?.interrupt()
  }
}

type Looked = Found | { readonly state: 'unreachable'; readonly error: StoreError }

/** Takes the lock or says what stands. A reply that was lost is asked for again: the owner tells whose lock it is. */
async function look<T>(
  call: Call<T>,
  { store, leaseMs }: Engine,
  claim: Claim,
  replacing: Uint8Array | undefined,
): Promise<Looked> {
  const until = performance.now() + call.storeBudgetMs
  const acquire = (budgetMs = call.storeBudgetMs) =>
    store.acquire(call.id, claim, leaseMs, replacing && { replacing }, budgetMs)
  try {
    const found = await acquire().catch((error) => {
      const leftMs = until - performance.now()
      if (isStoreError(error) && error.effect === 'unknown' && leftMs > 0) return acquire(leftMs)
      throw error
    })
    if (found.state !== 'locked' || found.owner !== claim.owner) return found
    // Ours: the first reply was lost, and with it part of the lease.
    const renewed = await store.renew(call.id, claim, leaseMs)
    return renewed === 'held' || renewed === 'retaken' ? { state: 'acquired' } : await acquire()
  } catch (error) {
    if (isStoreError(error)) return { state: 'unreachable', error }
    throw error
  }
}

/**
 * Older than this caller's ttl, which a record that was to be kept no longer never is. Age is by two clocks: where one
 * is wrong, a call is made more, or an answer given that is a little older.
 */
function isStale({ ttlMs }: Pick<Call<unknown>, 'ttlMs'>, record: RecordFacts | undefined): boolean {
  const { storedAtMs, ttlMs: keptMs = 0 } = record ?? {}
  return storedAtMs !== undefined && keptMs > ttlMs && Date.now() - storedAtMs > ttlMs
}

function isForeign<T>(call: Call<T>, engine: Engine, record: StoredRecord): boolean {
  return replayRecord(call, engine, record).state === 'foreign'
}

function hasLeft(owner: string, found: Looked): boolean {
  return found.state === 'acquired' || (found.state === 'locked' && found.owner !== owner)
}

function assertSameRequest<T>(call: Call<T>, found: Read): void {
  if (found.state === 'absent') return
  const { fingerprint } = found.state === 'completed' ? found.record : found
  // Empty: a value that is no record of ours, about to be replaced.
  if (fingerprint !== '' && fingerprint !== call.fingerprint) throw new KeyReusedError()
}

/** No effect without its trace: where it cannot be left, the lock is given up. */
async function leaveTrace<T>(trace: Trace<T>, call: Call<T>, engine: Engine, claim: Claim) {
  try {
    await trace.leave()
  } catch (error) {
    await release(call, engine, claim)
    throw isStoreError(error) ? new StoreUnavailableError(error) : error
  }
}

function failedOpen({ events }: Engine, error: StoreError): void {
  events.emit('failedOpen', { error })
  const reason = error.cause instanceof Error ? error.cause.message : error.message
  events.warn(
    'failed-open',
    `The store cannot be reached (${reason}). Calls go on, shared in this process only.`,
  )
}

async function release<T>(call: Call<T>, { store }: Engine, { owner }: Claim): Promise<void> {
  await store.release(call.id, owner).catch((error) => {
    if (!isStoreError(error)) throw error
  })
}
