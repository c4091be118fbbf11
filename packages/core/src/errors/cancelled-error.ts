import { IdemError } from './idem-error.js'

/** Reason of the `signal` given to a call that nobody waited for any more, in this process or another. */
export class CancelledError extends IdemError {
  readonly code = 'IDEM_CANCELLED'
  readonly status = 409

  constructor() {
    super('Everybody who waited for this call has left; it was cancelled.')
  }
}
