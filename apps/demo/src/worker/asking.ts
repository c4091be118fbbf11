import { AsyncLocalStorage } from 'node:async_hooks'

/** Whose request it is that code runs for, in a worker. */
export const asking = new AsyncLocalStorage<{ readonly id: number; attempts: number }>()
