/**
 * Base of every error idem throws. Tell them apart by `code`: it is stable across versions and across two copies of
 * the package, where `instanceof` is not.
 */
export abstract class IdemError extends Error {
  /** Stable, `IDEM_…`; each is a heading in docs/errors.md. */
  abstract readonly code: `IDEM_${string}`
  /** The HTTP status that says the same (RFC 9110). */
  abstract readonly status: number
  /** Whether the same request may succeed when it is sent again at once. SDKs do so where it is true. */
  readonly isRetryable: boolean = false
  /** Brand: true on every error of idem, whichever copy of the package made it. */
  readonly isIdemError = true

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** Whether `error` comes from idem, whichever copy of the package made it. */
export function isIdemError(error: unknown): error is IdemError {
  return typeof error === 'object' && error !== null && (error as IdemError).isIdemError === true
}
