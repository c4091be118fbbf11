import { IdemError } from './idem-error.js'

/** What was passed to idem cannot be used. Thrown before anything was read, locked or called. */
export class InvalidArgumentError extends IdemError {
  readonly code = 'IDEM_INVALID_ARGUMENT'
  readonly status = 400
}

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

/** `close()` was called on this idem; it takes no new calls. */
export class ClosedError extends IdemError {
  readonly code = 'IDEM_CLOSED'
  readonly status = 503

  constructor() {
    super('This idem was closed. Create a new one with createIdem().')
  }
}

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
