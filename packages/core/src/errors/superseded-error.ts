import { IdemError } from './idem-error.js'

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
