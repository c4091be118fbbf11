import { IdemError } from './idem-error.js'

/** Another caller's execution of the same request went on for longer than `maxWaitMs`. It may still finish. */
export class WaitTimeoutError extends IdemError {
  readonly code = 'IDEM_WAIT_TIMEOUT'
  readonly status = 504

  constructor(maxWaitMs: number) {
    super(
      `The same request is running elsewhere, for longer than ${maxWaitMs} ms (maxWaitMs). Ask again later.`,
    )
  }
}
