import { abortable } from './abortable.js'
import { replayRecord } from './answer.js'
import { Broadcast } from './broadcast.js'
import type { Callers } from './callers.js'
import { Detachable } from './detachable.js'
import { type Call, type Encoded, type Engine, keyOf, type Settled } from './engine.js'
import { CancelledError } from './errors/cancelled-error.js'
import { ExecutionTimeoutError } from './errors/execution-timeout-error.js'
import { SupersededError } from './errors/superseded-error.js'
import { isStoreError } from './guard.js'
import { LiveLog } from './live-log.js'
import { type ClaimedLock, Lock } from './lock.js'
import { type AnswerHead, sealAnswer } from './record.js'
import type { StoredRecord } from './store.js'

/**
 * Makes the call and settles the key. Under a lock: it is renewed meanwhile, what comes of the answer is given out as
 * it comes, and the whole is stored or left as an ending. Without a lock the store is not touched, and nobody
 * elsewhere waits for this execution; without callers nobody here does but who asked.
 */
export async function execute<T>(
  call: Call<T>,
  engine: Engine,
  callers?: Callers,
  claimed?: ClaimedLock,
): Promise<Settled<T>> {
  const aborter = new AbortController()
  const giveUp = setTimeout(
    () => aborter.abort(new ExecutionTimeoutError(call.maxExecutionMs)),
    call.maxExecutionMs,
  )
  giveUp.unref()
  let standing: Settled<T> | undefined
  let log: LiveLog | undefined
  let broadcast: Broadcast | undefined
  let isWorking = true

  const lock =
    claimed &&
    new Lock(engine, call.id, claimed, async (renewed) => {
      broadcast?.keep()
      // `held` and `retaken` are what we want; `lost` changes nothing, since whoever completes first wins.
      if (renewed === 'completed') standing = await readStanding(call, engine)
      if (!standing) return
      log?.overtake()
      // Who has bytes of this answer is to have the rest of it.
      if (!log?.isDelivered) aborter.abort(new SupersededError())
    })
  const detachable =
    callers && call.onAbandon
      ? new Detachable(engine, call, callers.presence, {
          owner: claimed?.claim.owner,
          heldBytes: () => log?.length ?? 0,
          cancel() {
            callers.shut()
            engine.events.emit('cancelled', { key: keyOf(call) })
            aborter.abort(new CancelledError())
          },
        })
      : undefined

  function begin(head: AnswerHead): LiveLog {
    // Work that was given up may begin all the same: nobody hears of it.
    if (!isWorking) return new LiveLog(head)
    log = new LiveLog(head, () => detachable?.grew())
    if (claimed && engine.store.append) broadcast = new Broadcast(engine, call.id, claimed.claim.owner, log)
    callers?.begin({ log, outcome: 'executed' })
    return log
  }

  async function work(): Promise<T> {
    try {
      const done = Promise.resolve().then(() => call.work(aborter.signal, begin))
      return await abortable(done, aborter.signal)
    } finally {
      isWorking = false
      broadcast?.stop()
      detachable?.stop()
    }
  }

  // In this order: settle the key, take no more callers, end the log. Who is told of the end and asks again at once
  // then meets what was settled.
  try {
    const value = await work()
    const encoded = call.codec.encode(value)
    const settled = await settle(call, engine, lock, value, encoded)
    callers?.shut()
    if (settled.outcome === 'collapsed') overtaken(call, engine, log)
    if (encoded.keep !== 'none') log?.finish(encoded.answer.body)
    return settled
  } catch (error) {
    if (!standing) await lock?.giveUp(call.codec.failure(error))
    callers?.shut()
    if (standing) overtaken(call, engine, log)
    log?.fail(error)
    if (standing) return standing
    throw error
  } finally {
    // What one caller still reads of an answer that was not kept has the same limit.
    if (log?.state.is !== 'spilled') clearTimeout(giveUp)
    lock?.stop()
  }
}

/** Another execution finished first. Its answer is everybody's who has nothing of this one yet, so that they agree. */
function overtaken<T>(call: Call<T>, { events }: Engine, log: LiveLog | undefined): void {
  events.emit(log?.isDelivered ? 'diverged' : 'superseded', { key: keyOf(call) })
  log?.overtake()
}

async function settle<T>(
  call: Call<T>,
  engine: Engine,
  lock: Lock | undefined,
  value: T,
  encoded: Encoded,
): Promise<Settled<T>> {
  const answer = encoded.keep === 'none' ? undefined : encoded.answer
  const executed: Settled<T> = { outcome: 'executed', value, answer }
  if (!lock) return executed
  if (encoded.keep === 'store' && call.replaces) {
    const stands = await lock.replace(call.replaces, sealAnswer(encoded.answer, call.ttlMs), call.ttlMs)
    await lock.giveUp({ type: 'answer', answer: encoded.answer })
    return stands ? { ...executed, record: { ttlMs: call.ttlMs } } : executed
  }
  if (encoded.keep !== 'store') {
    const isShared = encoded.keep === 'share'
    const wasOurs = await lock.giveUp(
      isShared ? { type: 'answer', answer: encoded.answer } : { type: 'unshareable' },
    )
    const standing = wasOurs ? undefined : await readStanding(call, engine)
    return standing ?? executed
  }
  const completed = await lock.complete(sealAnswer(encoded.answer, call.ttlMs), call.ttlMs)
  switch (completed.state) {
    case 'stored':
      return { ...executed, record: { ttlMs: call.ttlMs } }
    case 'standing':
      return asCollapsed(call, engine, completed.record) ?? executed
    case 'refused':
      // Forgotten meanwhile: those who wait make their own call.
      await lock.giveUp()
      return executed
    case 'pending':
      return executed
  }
}

/** The record that overtook this execution; undefined if there is none that can be had. */
async function readStanding<T>(call: Call<T>, engine: Engine): Promise<Settled<T> | undefined> {
  try {
    const found = await engine.store.read(call.id)
    return found.state === 'completed' ? asCollapsed(call, engine, found.record) : undefined
  } catch (error) {
    if (isStoreError(error)) return undefined
    throw error
  }
}

function asCollapsed<T>(call: Call<T>, engine: Engine, record: StoredRecord): Settled<T> | undefined {
  if (record.fingerprint !== call.fingerprint) return undefined
  const replay = replayRecord(call, engine, record)
  return replay.state === 'replayed' ? { ...replay.settled, outcome: 'collapsed', isPaid: true } : undefined
}
