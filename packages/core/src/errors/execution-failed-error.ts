import { IdemError } from './idem-error.js'

/** What another process tells of an error it cannot send: name, message and code. */
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
