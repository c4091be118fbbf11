import type { Callers } from './call/callers.js'
import type { Call, Engine, Settled } from './call/engine.js'
import { refreshing, standing } from './call/refresh.js'
import { WaitTimeoutError } from './errors/caller-errors.js'
import { ExecutionFailedError } from './errors/execution-errors.js'
import { type StoreError, StoreUnavailableError } from './errors/store-errors.js'
import { type ClaimedLock, release } from './lock/lock.js'
import { makeCall, makeCallAlone } from './lock/make-call.js'
import { newOwner } from './store/owner.js'
import type { Claim } from './store/store.js'
import { look, peek } from './wait/look.js'
import { assertSameRequest, isDamaged, isStale, replayRecord } from './wait/replay.js'
import { Waiting } from './wait/waiting.js'

/**
 * The protocol, as one request lives it:
 *
 * | the key is | then |
 * | --- | --- |
 * | completed | replay the record; one that cannot be read, or is older than this caller's ttl, is replaced |
 * | acquired | make the call under the lock |
 * | locked | follow the stream if there is one, wait, look again; an owner without a record may have left an ending |
 * | unreachable | make the call anyway; where an owner was seen at work, only after another lease |
 */
export async function run<T>(call: Call<T>, engine: Engine, callers: Callers): Promise<Settled<T>> {
  if (call.replaces) {
    const old = await standing(call.replaces, engine)
    assertSameRequest(call, old)
    const replay = old.state === 'completed' ? replayRecord(call, engine, old.record) : undefined
    if (replay?.state === 'foreign') return makeCallAlone(call, engine, callers)
    // There is no answer to replay meanwhile: the call is made as if nothing stood.
    if (replay?.state === 'corrupt')
      return run({ ...call, id: call.replaces, replaces: undefined }, engine, callers)
  }

  const claim: Claim = { owner: newOwner(), fingerprint: call.fingerprint }
  const waiting = new Waiting(call, engine, callers, claim)
  let replacing: Uint8Array | undefined
  const make = (lock?: ClaimedLock, unreachable?: StoreError) => {
    // A caller that has a part of another answer cannot go on with this one.
    waiting.stop()
    return makeCall(call, engine, callers, lock, unreachable)
  }
  try {
    for (;;) {
      const near = engine.commits.replay(call) ?? engine.localCache?.replay(call)
      if (near) return { ...near, outcome: waiting.outcome }
      const found =
        waiting.isFollowing && !replacing
          ? await peek(call, engine)
          : await look(call, engine, claim, replacing)

      const ending = await waiting.endingBefore(found)
      if (ending) {
        if (found.state === 'acquired') await release(call, engine, claim)
        if (ending.type === 'answer') return ending.settled
        if (ending.type === 'failed') throw new ExecutionFailedError(ending.failure)
        // The answer could not be shared: everybody who waited for it makes their own call, side by side.
        waiting.stop('unshareable')
        return await make()
      }

      switch (found.state) {
        case 'completed': {
          assertSameRequest(call, found)
          const replay = replayRecord(call, engine, found.record)
          if (replay.state === 'replayed') {
            const { settled } = replay
            const { outcome } = waiting
            // Too old for this caller and good for others: they get it until there is a newer one.
            if (outcome === 'replayed' && isStale(call, settled.record)) {
              return await run(refreshing(call), engine, callers)
            }
            waiting.finish(found.record.owner, settled)
            return { ...settled, outcome }
          }
          // Foreign: must not be destroyed. Corrupt a second time: the store does not replace it.
          if (replay.state === 'foreign' || replacing) {
            waiting.stop('overtaken')
            return await makeCallAlone(call, engine, callers)
          }
          replacing = found.record.bytes
          break
        }
        case 'acquired':
          return await make({ claim, held: true })
        case 'locked':
          assertSameRequest(call, found)
          // Somebody has replaced it. A record of theirs may have the same bytes, and stays.
          replacing = undefined
          if (!waiting.isFollowing && isDamaged(found, call, engine)) {
            waiting.stop()
            return await makeCallAlone(call, engine, callers)
          }
          if (waiting.isOverdue) {
            if (engine.ifWaitTimesOut === 'execute') return await make()
            throw new WaitTimeoutError(call.maxWaitMs)
          }
          await waiting.next(found)
          break
        case 'absent':
          await waiting.next(found)
          break
        case 'unreachable':
          if (!found.isUnsupported && call.ifStoreFails === 'reject') {
            waiting.stop('unreachable')
            throw new StoreUnavailableError(found.error)
          }
          if (found.isUnsupported) return await make(undefined, found.error)
          if (!waiting.isPatient) {
            waiting.stop('unreachable')
            return await make({ claim, held: false }, found.error)
          }
          await waiting.next(found)
      }
    }
  } finally {
    waiting.stop()
  }
}
