import { IdemError } from './idem-error.js'

/** The server behind the store cannot speak the protocol, e.g. Redis older than 7.0. Never failed open. */
export class UnsupportedServerError extends IdemError {
  readonly code = 'IDEM_UNSUPPORTED_SERVER'
  readonly status = 501
}
