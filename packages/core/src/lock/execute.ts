import { LiveLog } from '../answer/live-log.js'
import type { AnswerHead } from '../answer/record.js'
import type { Callers } from '../call/callers.js'
import { type Call, type Engine, keyOf, type Settled } from '../call/engine.js'
import { runAs } from '../call/running-work.js'
import {
  CancelledError,
  ExecutionTimeoutError,
  StreamInterruptedError,
  SupersededError,
} from '../errors/execution-errors.js'
import { abortable } from '../util/abortable.js'
import { AbandonWatch } from './abandon-watch.js'
import { clearMark } from './begun-mark.js'
import { Broadcast } from './broadcast.js'
import { type ClaimedLock, Lock } from './lock.js'
import { readStanding, settle } from './settle.js'
import { markUnstored } from './unstored.js'

/**
 * Makes the call and settles the key. Under a lock: the lock is renewed meanwhile, a streamed answer is given out as it
 * comes, and the whole is stored or left as a note. Without a lock the store is not touched. Without `callers` the call
 * is made for one caller alone.
 */
export async function execute<T>(
  call: Call<T>,
  engine: Engine,
  callers?: Callers,
  claimed?: ClaimedLock,
): Promise<Settled<T>> {
  const { events } = engine
  const digest = keyOf(call)
  let log: LiveLog | undefined
  let broadcast: Broadcast | undefined
  let isWorking = true
  let isMarked = false
  /** The record of another execution that finished first. */
  let standing: Settled<T> | undefined

  const aborter = new AbortController()
  const tooLong = () => aborter.abort(new ExecutionTimeoutError(call.maxExecutionMs))
  const deadline = setTimeout(tooLong, call.maxExecutionMs).unref()

  const lock =
    claimed &&
    new Lock(engine, call.id, claimed, {
      async renewed(answer) {
        broadcast?.keep()
        // `held` and `retaken` are good. `lost` changes nothing here: the first completion wins.
        if (answer === 'completed') standing = await readStanding(call, engine)
        if (!standing) return
        log?.overtake()
        // Callers that have a part of this answer get the rest of it.
        if (!log?.isDelivered) aborter.abort(new SupersededError())
      },
      async refused() {
        // The lock may lapse while the work goes on. Its next owner must know of this execution.
        if (call.ifStoreFails === 'reject') isMarked ||= await markUnstored(call, engine, claimed.claim)
      },
      lost: () => events.emit('lockLost', { digest }),
    })

  const abandonWatch =
    callers && call.ifAbandoned
      ? new AbandonWatch(engine, call, callers.presence, {
          owner: claimed?.claim.owner,
          heldBytes: () => log?.length ?? 0,
          cancel() {
            callers.shut()
            events.emit('cancelled', { digest })
            aborter.abort(new CancelledError())
          },
        })
      : undefined

  function begin(head: AnswerHead): LiveLog {
    // Work that was given up may still begin an answer, which nobody reads.
    if (!isWorking) return new LiveLog(head)
    log = new LiveLog(head, () => abandonWatch?.grew())
    if (claimed && engine.store.append) broadcast = new Broadcast(engine, call.id, claimed.claim.owner, log)
    callers?.begin({ log, outcome: 'executed' })
    return log
  }

  async function work(): Promise<T> {
    try {
      const done = runAs(engine, digest, async () => call.work(aborter.signal, begin))
      return await abortable(done, aborter.signal)
    } finally {
      isWorking = false
      broadcast?.stop()
      abandonWatch?.stop()
    }
  }

  async function succeed(value: T): Promise<Settled<T>> {
    const encoded = call.codec.encode(value)
    const settled = await settle(call, engine, lock && { lock, claim: claimed.claim }, value, encoded)
    if (isMarked && settled.record) engine.background.add(clearMark(engine, digest))
    callers?.shut()
    const answer = encoded.keep === 'none' ? undefined : encoded.answer
    if (settled.outcome === 'collapsed') {
      overtaken(digest, engine, log)
      // For callers elsewhere that have a part of it.
      if (log?.isDelivered && answer) await lock?.giveUp({ type: 'answer', answer })
    }
    if (answer && log?.finish(answer.body) === false) {
      log.fail(new StreamInterruptedError('What was read of this answer is not what it came to.'))
    }
    return settled
  }

  async function fail(error: unknown): Promise<Settled<T>> {
    if (isMarked) await clearMark(engine, digest).catch(() => {})
    if (!standing) await lock?.giveUp(call.codec.failure(error))
    callers?.shut()
    if (standing) overtaken(digest, engine, log)
    log?.fail(error)
    if (standing) return standing
    throw error
  }

  // Both settle the key, then take no more callers, then end the log: a caller that is told of the end and asks again at
  // once meets what was settled.
  try {
    return await succeed(await work())
  } catch (error) {
    return await fail(error)
  } finally {
    // The part of an unstored answer that one caller still reads has the same limit.
    if (log?.state.is !== 'spilled') clearTimeout(deadline)
    lock?.stop()
  }
}

/** Another execution finished first. Callers that have no byte of this one yet get its answer, so that all agree. */
function overtaken(digest: string, { events }: Engine, log: LiveLog | undefined): void {
  events.emit(log?.isDelivered ? 'diverged' : 'superseded', { digest })
  log?.overtake()
}
