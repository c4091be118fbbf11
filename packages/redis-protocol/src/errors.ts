import { StoreError, UnsupportedServerError } from '@idem/core'

/** The code a Redis error reply begins with (`OOM`, `NOSCRIPT`, `ERR`); undefined for errors of the connection. */
export function replyCode(error: unknown): string | undefined {
  return /^-?([A-Z]{2,}) /.exec(String((error as { message?: unknown } | null)?.message))?.[1]
}

/** The server is up but takes no writes now: a record can still be read. */
export function refusesWrites(error: unknown): boolean {
  return ['OOM', 'READONLY', 'MISCONF', 'NOREPLICAS'].includes(replyCode(error) ?? '')
}

/** SET with both NX and GET came with Redis 7.0; older ones call it a syntax error. */
export function asAcquireError(error: unknown): unknown {
  if (replyCode(error) !== 'ERR' || !/syntax error/i.test(String((error as Error).message)))
    return asStoreError(error)
  return new UnsupportedServerError('idem needs Redis 7.0 or newer, or Valkey; this server is older.', {
    cause: error,
  })
}

/** A refusal by the server has done nothing; of an error of the connection nobody knows. */
export function asStoreError(error: unknown): StoreError {
  const effect = replyCode(error) ? 'none' : 'unknown'
  return new StoreError(`Redis: ${(error as Error).message}`, { effect, cause: error })
}
