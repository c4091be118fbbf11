import { abortable } from './abortable.js'
import { replayRecord } from './answer.js'
import type { Call, Engine, Settled } from './engine.js'
import { ExecutionTimeoutError } from './errors/execution-timeout-error.js'
import { SupersededError } from './errors/superseded-error.js'
import { isStoreError } from './guard.js'
import { type ClaimedLock, Lock } from './lock.js'
import { sealAnswer } from './record.js'
import type { StoredRecord } from './store.js'

/**
 * Makes the call and settles the key. Under a lock: it is renewed meanwhile, and the answer stored or left as an
 * ending. Without one the store is not touched, and nobody waits for this execution.
 */
export async function execute<T>(call: Call<T>, engine: Engine, claimed?: ClaimedLock): Promise<Settled<T>> {
  const aborter = new AbortController()
  const giveUp = setTimeout(
    () => aborter.abort(new ExecutionTimeoutError(call.maxExecutionMs)),
    call.maxExecutionMs,
  )
  giveUp.unref()
  let standing: Settled<T> | undefined

  const lock =
    claimed &&
    new Lock(engine, call.id, claimed, async (renewed) => {
      // `held` and `retaken` are what we want; `lost` changes nothing, since whoever completes first wins.
      if (renewed === 'completed') standing = await readStanding(call, engine)
      if (standing) aborter.abort(new SupersededError())
    })

  try {
    const work = Promise.resolve().then(() => call.work(aborter.signal))
    return await settle(call, engine, lock, await abortable(work, aborter.signal))
  } catch (error) {
    if (standing) return superseded(engine, standing)
    await lock?.giveUp(call.codec.failure(error))
    throw error
  } finally {
    clearTimeout(giveUp)
    lock?.stop()
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
    const isShared = encoded.keep === 'share'
    const wasOurs = await lock.giveUp(
      isShared ? { type: 'answer', answer: encoded.answer } : { type: 'unshareable' },
    )
    const standing = wasOurs ? undefined : await readStanding(call, engine)
    return standing ? superseded(engine, standing) : executed
  }
  const completed = await lock.complete(sealAnswer(encoded.answer, call.ttlMs), call.ttlMs)
  switch (completed.state) {
    case 'stored':
      return { ...executed, record: { ttlMs: call.ttlMs } }
    case 'standing': {
      const standing = asCollapsed(call, engine, completed.record)
      return standing ? superseded(engine, standing) : executed
    }
    case 'refused':
      // Forgotten meanwhile: those who wait make their own call.
      await lock.giveUp()
      return executed
    case 'pending':
      return executed
  }
}

/** Another execution finished first. Its answer is everybody's, so that all callers agree. */
function superseded<T>(engine: Engine, standing: Settled<T>): Settled<T> {
  engine.events.superseded()
  return standing
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
  return replay.state === 'replayed' ? { ...replay.settled, outcome: 'collapsed' } : undefined
}
