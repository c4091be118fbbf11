import { IdemError } from './idem-error.js'

/** `close()` was called on this idem; it takes no new calls. */
export class ClosedError extends IdemError {
  readonly code = 'IDEM_CLOSED'
  readonly status = 503

  constructor() {
    super('This idem was closed. Create a new one with createIdem().')
  }
}
