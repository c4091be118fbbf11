import type { ReplyScript } from '@idem/testing'
import { type Asked, type Lab, LEASE_MS } from '../lab.js'

/** How long a takeover may take: what is left of the lease, a look, and what a busy machine needs for both, ms. */
export const TAKEOVER_MS = LEASE_MS + 1_500

/**
 * The same question in every worker: the first one makes the call, and each of the others waits for it.
 * @param first how the model answers that call
 * @param later how it answers every later one
 */
export async function ownedAndWaitedFor(
  lab: Lab,
  prompt: string,
  first: ReplyScript,
  later: ReplyScript,
): Promise<{ owner: Asked; waiters: readonly Asked[] }> {
  const { journal, keys, model, workers } = lab
  let received = 0
  model?.script(prompt, (call) => {
    received++
    journal.touch()
    return call === 0 ? first : later
  })
  const [worker, ...others] = workers.rows.map(({ number }) => number)
  const owner = lab.ask({ prompt }, worker)
  // The model must have it: where it is lost before, a takeover's call is the first one.
  await journal.until('the first call', () => received === 1 && journal.callsFor(prompt).length === 1)
  const key = keys.lockedFor(owner.id) ?? ''
  const waiters = others.map((worker) => lab.ask({ prompt }, worker))
  await journal.until('the other processes to wait', () => keys.waiting(key) === others.length)
  return { owner, waiters }
}
