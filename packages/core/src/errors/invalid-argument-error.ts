import { IdemError } from './idem-error.js'

/** What was passed to idem cannot be used. Thrown before anything was read, locked or called. */
export class InvalidArgumentError extends IdemError {
  readonly code = 'IDEM_INVALID_ARGUMENT'
  readonly status = 400
}
