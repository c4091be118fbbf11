import { IdemError, isIdemError } from './idem-error.js'

/** The effect of a store command that failed: none, or nobody knows. */
export type Effect = 'none' | 'unknown'

/** The options of a StoreError. */
export interface StoreErrorOptions extends ErrorOptions {
  readonly effect: Effect
  /** See {@link StoreError.refused}. @default none: the store could not be reached, or did not answer */
  readonly refused?: string
  /** See {@link StoreError.isPassing}. @default false */
  readonly isPassing?: boolean
}

/**
 * A store command that failed. Adapters throw it; core fails open on it, so callers see it only as the `cause` of
 * another error.
 */
export class StoreError extends IdemError {
  readonly code = 'IDEM_STORE_ERROR'
  readonly status = 503
  /** Whether the command may have taken effect although it failed. */
  readonly effect: Effect
  /**
   * Set where the store is there and refuses: a short name of what it refuses (`EVALSHA`, `AUTH`, `OOM`). It goes on
   * refusing until somebody changes something, so core warns of each name once, with the message of the error: that
   * says what to change.
   */
  readonly refused: string | undefined
  /** Whether the store may accept the command in a moment: it is loading its data, say. It is then asked again. */
  readonly isPassing: boolean

  constructor(message: string, options: StoreErrorOptions) {
    super(message, options)
    this.effect = options.effect
    this.refused = options.refused
    this.isPassing = options.isPassing ?? false
  }
}

/**
 * The store cannot be used: it cannot be reached, refuses a command, or could not keep an answer. With
 * `ifStoreFails: 'reject'` the call was not made. `cause` has the StoreError, and the message its reason.
 */
export class StoreUnavailableError extends IdemError {
  readonly code = 'IDEM_STORE_UNAVAILABLE'
  readonly status = 503

  constructor(
    cause: unknown,
    what = "The idempotency store cannot be used, and ifStoreFails is 'reject'. The call was not made.",
  ) {
    super(cause instanceof Error ? `${what} ${cause.message}` : what, { cause })
  }
}

/** The server behind the store cannot speak the protocol, e.g. Redis older than 7.0. Never failed open. */
export class UnsupportedServerError extends IdemError {
  readonly code = 'IDEM_UNSUPPORTED_SERVER'
  readonly status = 501
}

/** Whether `error` is a failure of the store, on which core fails open. Other errors of idem go to the caller. */
export function isStoreError(error: unknown): error is StoreError {
  return isIdemError(error) && error.code === 'IDEM_STORE_ERROR'
}

/** Gives what the store says. Without the store this call has no answer to fall back on, so it rejects. */
export async function orUnavailable<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!isStoreError(error)) throw error
    throw new StoreUnavailableError(
      error,
      'The idempotency store cannot be used, and this call needs its answer.',
    )
  }
}
