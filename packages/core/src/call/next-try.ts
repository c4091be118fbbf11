import { setTimeout as delay } from 'node:timers/promises'
import type { GuardedStore } from '../store/guard.js'

/** Resolves when a store command is worth another try: after `ms`, or as soon as a lost connection is back. */
export async function nextTry(
  store: Pick<GuardedStore, 'isThere' | 'back'>,
  key: string,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const back = new AbortController()
  if (!(await store.isThere(key))) void store.back(key).then(() => back.abort())
  await delay(ms, undefined, { signal: AbortSignal.any([signal, back.signal]), ref: false }).catch(() => {})
}
