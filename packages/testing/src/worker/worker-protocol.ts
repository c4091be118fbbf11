/** What a parent sends to its worker. */
export interface CallMessage {
  idem: 'call'
  id: number
  method: string
  args: unknown[]
}

/** An error on its way between processes: a class does not survive the journey, these do. */
export interface WireError {
  name: string
  message: string
  code?: unknown
  stack?: string
}

/** What a worker sends to its parent. */
export type WorkerMessage =
  | { idem: 'ready' }
  | { idem: 'value'; id: number; value: unknown }
  | { idem: 'error'; id: number; error: WireError }
  | { idem: 'event'; event: string; payload: unknown }

/** Takes from anything thrown what can be sent. */
export function toWireError(thrown: unknown): WireError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown) }
  const { name, message, stack } = thrown
  const code: unknown = 'code' in thrown ? thrown.code : undefined
  const sendable = typeof code === 'string' || typeof code === 'number'
  return { name, message, ...(sendable && { code }), ...(stack !== undefined && { stack }) }
}

/** The Error that a caller sees, with the worker's own stack, which is the useful one. */
export function fromWireError(error: WireError): Error {
  return Object.assign(new Error(error.message), error)
}
