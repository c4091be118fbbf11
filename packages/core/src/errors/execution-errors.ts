import { IdemError } from './idem-error.js'

/** The parts of an error that another process can send: name, message and code. */
export interface FailureFacts {
  readonly name: string
  readonly message: string
  readonly code?: string
}

/**
 * The execution this caller was waiting for, in another process, failed. Callers in that process got the error
 * itself; here are its name, message and code.
 */
export class ExecutionFailedError extends IdemError {
  readonly code = 'IDEM_EXECUTION_FAILED'
  readonly status = 502
  readonly failure: FailureFacts

  constructor(failure: FailureFacts) {
    super(`The shared execution failed: ${failure.name}: ${failure.message}`)
    this.failure = failure
  }
}

/** The work ran for longer than `maxExecutionMs`: its signal was aborted and its lock given up. */
export class ExecutionTimeoutError extends IdemError {
  readonly code = 'IDEM_EXECUTION_TIMEOUT'
  readonly status = 504

  constructor(maxExecutionMs: number) {
    super(`The work was given up after ${maxExecutionMs} ms (maxExecutionMs).`)
  }
}

/** Reason of the `signal` of a call that was cancelled because no caller was left, in this process or another. */
export class CancelledError extends IdemError {
  readonly code = 'IDEM_CANCELLED'
  readonly status = 409

  constructor() {
    super('Everybody who waited for this call has left; it was cancelled.')
  }
}

/**
 * Reason of the `signal` given to work whose answer nobody needs any more: its lease lapsed and another execution of
 * the same request finished first. Callers of this execution get that answer.
 */
export class SupersededError extends IdemError {
  readonly code = 'IDEM_SUPERSEDED'
  readonly status = 409

  constructor() {
    super('Another execution of the same request finished first; its answer stands.')
  }
}

/**
 * An execution of this key began, and its result cannot be had: its process was lost, it ran over its time, or its
 * result cannot be stored. Nobody knows whether it took effect, so it is not done again. Find out, then
 * `idem.forget(key)` to have it done, or use a new key.
 */
export class UncertainError extends IdemError {
  readonly code = 'IDEM_UNCERTAIN'
  readonly status = 409

  constructor() {
    super(
      'An execution of this key began, and its result cannot be had. Find out whether it took effect; ' +
        'to run it again, call idem.forget(key) first.',
    )
  }
}

/**
 * A streamed answer ended before it was whole. The message says why. The same request, sent again, is answered whole:
 * by a new call, or by the answer that is stored.
 */
export class StreamInterruptedError extends IdemError {
  readonly code = 'IDEM_STREAM_INTERRUPTED'
  readonly status = 502
  override readonly isRetryable = true

  /** `isStored`: whether an answer to the request is stored nevertheless. @default false */
  constructor(what: string, { isStored = false, ...options }: ErrorOptions & { isStored?: boolean } = {}) {
    const advice = isStored
      ? 'An answer is stored: send the request again to get it.'
      : 'Nothing of it was stored: send the request again.'
    super(`${what} ${advice}`, options)
  }
}
