import type { Encoded } from '../answer/codec.js'
import { sealAnswer } from '../answer/record.js'
import type { Call, Engine, Settled } from '../call/engine.js'
import { isStoreError } from '../errors/store-errors.js'
import type { Claim, StoredRecord } from '../store/store.js'
import { replayRecord } from '../wait/replay.js'
import type { Lock } from './lock.js'
import { keepUnstored } from './unstored.js'

/**
 * Settles the key with the answer of an execution: a record for everybody, an ending for those who wait now, or a word
 * that it cannot be shared. Without a lock nothing is written. The answer that its callers get is another one where a
 * record stood already.
 */
export async function settle<T>(
  call: Call<T>,
  engine: Engine,
  held: { readonly lock: Lock; readonly claim: Claim } | undefined,
  value: T,
  encoded: Encoded,
): Promise<Settled<T>> {
  const answer = encoded.keep === 'none' ? undefined : encoded.answer
  const executed: Settled<T> = { outcome: 'executed', value, answer }
  if (!held) return executed
  const { lock } = held
  if (encoded.keep === 'store' && call.replaces) {
    const stands = await lock.replace(call.replaces, sealAnswer(encoded.answer, call.ttlMs), call.ttlMs)
    engine.localCache?.forget(call.replaces)
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
  const since = engine.localCache?.now ?? 0
  const completed = await lock.complete(sealAnswer(encoded.answer, call.ttlMs), call.ttlMs)
  switch (completed.state) {
    case 'stored':
      engine.localCache?.keep(call, encoded.answer, { ttlMs: call.ttlMs }, since)
      return { ...executed, record: { ttlMs: call.ttlMs } }
    case 'standing':
      return asCollapsed(call, engine, completed.record) ?? executed
    case 'refused':
      // Forgotten meanwhile: those who wait make their own call.
      await lock.giveUp()
      return executed
    case 'failed':
      await keepUnstored(call, engine, { ...held, answer: encoded.answer }, completed)
      return executed
  }
}

/** The record that overtook this execution; undefined if it is gone, or cannot be read. */
export async function readStanding<T>(call: Call<T>, engine: Engine): Promise<Settled<T> | undefined> {
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
