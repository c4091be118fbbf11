import { IdemError } from './idem-error.js'

/** The store cannot be reached and `onStoreError` is `'closed'`: the call was not made. `cause` has the StoreError. */
export class StoreUnavailableError extends IdemError {
  readonly code = 'IDEM_STORE_UNAVAILABLE'
  readonly status = 503

  constructor(cause: unknown) {
    super("The idempotency store cannot be reached, and onStoreError is 'closed'. The call was not made.", {
      cause,
    })
  }
}
