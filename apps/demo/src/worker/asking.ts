import { AsyncLocalStorage } from 'node:async_hooks'

/** The request that the current code of a worker runs for. */
export const asking = new AsyncLocalStorage<{ readonly id: number; attempts: number }>()
