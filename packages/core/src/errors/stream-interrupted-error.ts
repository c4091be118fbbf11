import { IdemError } from './idem-error.js'

/**
 * A streamed answer ended before it was whole: its connection was cut, the process that received it is gone, or it
 * grew over what is kept for others. Nothing of it was stored; the same request makes a new call.
 */
export class StreamInterruptedError extends IdemError {
  readonly code = 'IDEM_STREAM_INTERRUPTED'
  readonly status = 502
  override readonly isRetryable = true

  constructor(what: string, options?: ErrorOptions) {
    super(`${what} Nothing of it was stored: send the request again.`, options)
  }
}
