import type { Anthropic, Middleware } from '@anthropic-ai/sdk'
import type { Idem } from '@idem/core'
import { messagesDialect } from './dialect.js'
import type { IdemRequestOptions } from './request-options.js'

export interface IdempotencyOptions {
  /**
   * Whose calls share, for every call of this client that names no scope.
   * @default a digest of the credential each request shows, and the origin it is sent to
   */
  readonly scope?: string
}

/**
 * Middleware for the Anthropic SDK: identical `messages.create` calls share one upstream call and one answer, also
 * across retries, since it sits below them. A caller's timeout ends its own wait and not the call, so that a retry
 * finds the answer. Streams pass through untouched.
 *
 * Per call: `{ idem: { ttl, bypass, scope, key } }` in the request options, and the SDK's own `idempotencyKey`. Errors
 * of idem arrive as the SDK's API errors, with the code in `errorCode`, and are not retried.
 */
export function idempotency(idem: Idem, { scope }: IdempotencyOptions = {}): Middleware {
  return async (request, next, { options }) => {
    const { body, method = 'GET' } = request
    // Without options it is not an API call but, say, a token exchange.
    if (options === undefined || typeof body !== 'string') return next(request)
    const perCall = (options as IdemRequestOptions).idem
    const key = perCall?.key ?? options.idempotencyKey
    return idem.exchange({
      dialect: messagesDialect,
      request: { ...request, method, body },
      send: ({ signal }) => next({ ...request, signal: signal ?? null }),
      options: key === undefined ? perCall : { ...perCall, key },
      scope,
      // The SDK's own timer starts inside `next`, which a caller that waits for another one's call never reaches.
      timeoutMs: options.timeout,
    })
  }
}

/** A copy of `client` whose calls go through idem: the client's own middleware first, then `idempotency(idem)`. */
export function withIdem<Client extends Anthropic>(
  client: Client,
  idem: Idem,
  options?: IdempotencyOptions,
): Client {
  return client.withOptions({ middleware: [...client.middleware, idempotency(idem, options)] })
}
