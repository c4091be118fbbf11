import { IdemError } from './idem-error.js'

/**
 * The caller gave a key that already stands for another request. Status 422, as the IETF `Idempotency-Key` draft
 * says. Nothing was called; the first request and its answer are untouched.
 */
export class KeyReusedError extends IdemError {
  readonly code = 'IDEM_KEY_REUSED'
  readonly status = 422

  constructor() {
    super('This idempotency key was used for a different request. Send the same request, or use a new key.')
  }
}
