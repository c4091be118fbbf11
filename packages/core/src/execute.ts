import { abortable } from './abortable.js'
import { replayRecord } from './answer.js'
import type { Call, Engine, Settled } from './engine.js'
import { ExecutionTimeoutError } from './errors/execution-timeout-error.js'
import { SupersededError } from './errors/superseded-error.js'
import { isStoreError } from './guard.js'
import { Lock } from './lock.js'
import { sealAnswer } from './record.js'
import type { Claim } from './store.js'

/**
 * Makes the call and settles the key. Under a claim: the lock is renewed meanwhile, and the answer stored or left as
 * an ending. Without one the store is not touched, and nobody waits for this execution.
 */
export async function execute<T>(call: Call<T>, engine: Engine, claim?: Claim): Promise<Settled<T>> {
  const aborter = new AbortController()
  const giveUp = setTimeout(
    () => aborter.abort(new ExecutionTimeoutError(engine.maxExecutionMs)),
    engine.maxExecutionMs,
  )
  giveUp.unref()
  let standing: Settled<T> | undefined

  const lock =
    claim &&
    new Lock(engine.store, call.id, claim, engine.leaseMs, async (renewed) => {
      // `held` and `retaken` are what we want; `lost` changes nothing, since whoever completes first wins.
      if (renewed === 'completed') standing = await readStanding(call, engine, claim)
      if (standing) aborter.abort(new SupersededError())
    })

  try {
    const work = Promise.resolve().then(() => call.work(aborter.signal))
    return await settle(call, engine, lock, await abortable(work, aborter.signal))
  } catch (error) {
    if (standing) return superseded(engine, lock, standing)
    await lock?.giveUp(call.codec.failure(error))
    throw error
  } finally {
    clearTimeout(giveUp)
  }
}

async function settle<T>(
  call: Call<T>,
  engine: Engine,
  lock: Lock | undefined,
  value: T,
): Promise<Settled<T>> {
  const encoded = call.codec.encode(value)
  const answer = encoded.keep === 'none' ? undefined : encoded.answer
  const executed: Settled<T> = { outcome: 'executed', value, answer }
  if (!lock) return executed
  if (encoded.keep !== 'store') {
    await lock.giveUp(
      encoded.keep === 'share' ? { type: 'answer', answer: encoded.answer } : { type: 'unshareable' },
    )
    return executed
  }
  const completed = await lock.complete(sealAnswer(encoded.answer, call.ttlMs), call.ttlMs, engine.background)
  if (completed.state === 'stored') return { ...executed, record: { ttlMs: call.ttlMs } }
  if (completed.state === 'standing') {
    const replay = replayRecord(call, engine, completed.record)
    if (replay.state === 'replayed')
      return superseded(engine, lock, { ...replay.settled, outcome: 'collapsed' })
  }
  return executed
}

/** Another execution finished first. Its answer is everybody's, so that all callers agree. */
function superseded<T>(engine: Engine, lock: Lock | undefined, standing: Settled<T>): Settled<T> {
  lock?.stop()
  engine.events.superseded()
  return standing
}

/** The record that overtook this execution; undefined if it cannot be had, in which case the work goes on. */
async function readStanding<T>(call: Call<T>, engine: Engine, claim: Claim): Promise<Settled<T> | undefined> {
  try {
    const found = await engine.store.acquire(call.id, claim, engine.leaseMs)
    if (found.state !== 'completed' || found.record.fingerprint !== call.fingerprint) return undefined
    const replay = replayRecord(call, engine, found.record)
    return replay.state === 'replayed' ? { ...replay.settled, outcome: 'collapsed' } : undefined
  } catch (error) {
    if (isStoreError(error)) return undefined
    throw error
  }
}
