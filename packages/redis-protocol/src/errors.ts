import { StoreError, UnsupportedServerError } from '@idem/core'
import { cleanCause, cleanMessage } from '@idem/core/store'
import { adviceFor, isPassing, type Sent } from './refusals.js'

/** The code a Redis error reply begins with (`OOM`, `NOSCRIPT`, `ERR`); undefined for errors of the connection. */
export function replyCode(error: unknown): string | undefined {
  return /^-?([A-Z]{2,}) /.exec(messageOf(error))?.[1]
}

/** The server is up but takes no writes now: a record can still be read. */
export function refusesWrites(error: unknown): boolean {
  return ['OOM', 'READONLY', 'MISCONF', 'NOREPLICAS'].includes(replyCode(error) ?? '')
}

const NOTHING: Sent = { command: '', key: '', prefix: '' }

/** SET with both NX and GET came with Redis 7.0; older ones call it a syntax error. */
export function asAcquireError(error: unknown, sent?: Sent): unknown {
  if (replyCode(error) !== 'ERR' || !/syntax error/i.test(messageOf(error))) return asStoreError(error, sent)
  return new UnsupportedServerError(
    'idem needs Redis 7.0 or newer, or Valkey, and this server is older: upgrade it, or connect to another.',
    { cause: cleanCause(error) },
  )
}

/**
 * An error of the server has had no effect, and says what to change. After an error of the connection nobody knows
 * whether the command took effect.
 */
export function asStoreError(error: unknown, sent: Sent = NOTHING): StoreError {
  const code = replyCode(error)
  const message = messageOf(error)
  if (code === undefined)
    return new StoreError(`Redis: ${message}`, { effect: 'unknown', cause: cleanCause(error) })
  const { refused, advice } = adviceFor(code, message, sent)
  return new StoreError(`Redis: ${message}${/[.!?]$/.test(message) ? '' : '.'} ${advice}`.trimEnd(), {
    effect: 'none',
    refused,
    isPassing: isPassing(code),
    cause: cleanCause(error),
  })
}

/** Node tries each address of a host, and puts their errors into one: the first of them. */
function messageOf(error: unknown): string {
  const { message, code, errors } = Object(error) as Partial<Record<string, unknown>>
  if (typeof message === 'string' && message !== '') return cleanMessage(message)
  if (Array.isArray(errors) && errors.length > 0) return messageOf(errors[0])
  return typeof code === 'string' ? code : String(error)
}
