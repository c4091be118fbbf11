import type { Redis } from 'ioredis'
import { askTogether, type NodeAddress } from './cluster-view.js'

/** How far the move of one slot is. */
export interface ReshardProgress {
  /** The slot that is migrating now. */
  slot: number
  /** Keys of this slot that are at the target because they were moved. */
  moved: number
  /** Keys of this slot that are still at the source. */
  left: number
}

/** Options of `reshard`. */
export interface ReshardOptions {
  /**
   * Awaited while a slot is migrating, so that a key the source does not have is answered with ASK: for
   * each slot once before its first key is moved, and once more after every step. When it rejects, the slot
   * is still moved to its end, and then the reshard rejects with that error.
   * @default nothing is awaited
   */
  during?: (progress: ReshardProgress) => Promise<void>
  /** Keys moved by one MIGRATE. @default 10, as `redis-cli` does */
  keysPerStep?: number
}

const migrateTimeoutMs = 5_000

/**
 * Moves slots, one after the other, while clients use them. `others` are the further living masters: they
 * are told each new owner at once instead of hearing of it. Rejects when any of the nodes stops answering;
 * the slot of that moment may then be left migrating.
 */
export async function moveSlots(
  slots: readonly number[],
  from: NodeAddress,
  to: NodeAddress,
  others: readonly NodeAddress[],
  options: ReshardOptions,
): Promise<void> {
  await askTogether([to, from, ...others], async (clients) => {
    const [target, source] = clients as [Redis, Redis]
    for (const slot of slots) {
      await target.cluster('SETSLOT', slot, 'IMPORTING', from.id)
      await source.cluster('SETSLOT', slot, 'MIGRATING', to.id)
      const failure = await moveKeys(slot, source, to, options)
      // The target first, so that the slot has an owner at every moment.
      for (const client of clients) await client.cluster('SETSLOT', slot, 'NODE', to.id)
      if (failure) throw failure.error
    }
  })
}

/** Empties a migrating slot; gives what `during` threw, as a slot moved by half is of no use to anybody. */
async function moveKeys(
  slot: number,
  source: Redis,
  to: NodeAddress,
  { during, keysPerStep = 10 }: ReshardOptions,
): Promise<{ error: unknown } | undefined> {
  let failure: { error: unknown } | undefined
  for (let moved = 0; ; ) {
    if (during && !failure) {
      const left = (await source.call('CLUSTER', 'COUNTKEYSINSLOT', slot)) as number
      try {
        await during({ slot, moved, left })
      } catch (error) {
        failure = { error }
      }
    }
    // As bytes: a key need not be text.
    const keys = (await source.callBuffer('CLUSTER', 'GETKEYSINSLOT', slot, keysPerStep)) as Buffer[]
    // No client can add one now, as the source answers for keys it has and no others.
    if (keys.length === 0) return failure
    await source.call('MIGRATE', to.host, to.port, '', 0, migrateTimeoutMs, 'KEYS', ...keys)
    moved += keys.length
  }
}
