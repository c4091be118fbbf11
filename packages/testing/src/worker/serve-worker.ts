import { type CallMessage, toWireError, type WorkerMessage } from './worker-protocol.js'

/** The child's end of a worker. */
export interface WorkerServer {
  /** Sends an event to the parent's `worker.on(event, …)`. The payload may be anything that can be cloned. */
  emit(event: string, payload?: unknown): void
}

// biome-ignore lint/suspicious/noExplicitAny: each handler knows its own arguments; callers are tests
type Handlers = Record<string, (...args: any[]) => unknown>

/**
 * Serves the parent's `worker.call(name, …args)` with the handler of that name, several at a time, and
 * tells the parent that the worker is ready: call it last. The process exits when the parent is gone.
 * Throws in a process that `spawnWorker` did not start.
 */
export function serveWorker(handlers: Handlers): WorkerServer {
  if (!process.send) throw new Error('serveWorker works only in a process that spawnWorker started')
  const send = (message: WorkerMessage) => void (process.connected && process.send?.(message))

  process.on('message', async (message: CallMessage) => {
    if (message?.idem !== 'call') return
    const { id, method, args } = message
    try {
      const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined
      if (!handler) throw new Error(`The worker has no handler named "${method}"`)
      // Sending is inside the try: a value that cannot be cloned is the caller's error too.
      send({ idem: 'value', id, value: await handler(...args) })
    } catch (error) {
      send({ idem: 'error', id, error: toWireError(error) })
    }
  })
  process.on('disconnect', () => process.exit())
  send({ idem: 'ready' })

  return { emit: (event, payload) => send({ idem: 'event', event, payload }) }
}
