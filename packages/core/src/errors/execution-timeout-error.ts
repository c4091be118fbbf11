import { IdemError } from './idem-error.js'

/** The work ran for longer than `maxExecutionMs`: its signal was aborted and its lock given up. */
export class ExecutionTimeoutError extends IdemError {
  readonly code = 'IDEM_EXECUTION_TIMEOUT'
  readonly status = 504

  constructor(maxExecutionMs: number) {
    super(`The work was given up after ${maxExecutionMs} ms (maxExecutionMs).`)
  }
}
