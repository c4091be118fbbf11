import type { Asked, Lab } from '../lab.js'

/** The same question in every worker: the first one makes the call, and each of the others waits for it. */
export async function ownedAndWaitedFor(
  lab: Lab,
  prompt: string,
): Promise<{ owner: Asked; waiters: readonly Asked[] }> {
  const { journal, keys, workers } = lab
  const [first, ...others] = workers.rows.map(({ number }) => number)
  const owner = lab.ask({ prompt }, first)
  await journal.until('the first call', () => journal.callsFor(prompt).length === 1)
  const key = keys.lockedFor(owner.id) ?? ''
  const waiters = others.map((worker) => lab.ask({ prompt }, worker))
  await journal.until('the other processes to wait', () => keys.waiting(key) === others.length)
  return { owner, waiters }
}
