import { IdemError } from './idem-error.js'

/** What a failed store command has done: nothing, or nobody knows. */
export type Effect = 'none' | 'unknown'

/**
 * A store command that failed. Adapters throw it; core fails open on it, so callers see it only as the `cause` of
 * another error.
 */
export class StoreError extends IdemError {
  readonly code = 'IDEM_STORE_ERROR'
  readonly status = 503
  /** Whether the command may have taken effect all the same. */
  readonly effect: Effect

  constructor(message: string, options: ErrorOptions & { effect: Effect }) {
    super(message, options)
    this.effect = options.effect
  }
}
