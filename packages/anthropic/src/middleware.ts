import type { Anthropic, Middleware } from '@anthropic-ai/sdk'
import { assertClientOptions, type ClientOptions, type Idem } from '@idem/core'
import { messagesDialect } from './dialect.js'
import type { IdemRequestOptions } from './request-options.js'

/**
 * Middleware for the Anthropic SDK: identical `messages.create` calls share one upstream call and one answer, also
 * across retries, since it sits below them. A caller's timeout ends its own wait and not the call, so that a retry
 * finds the answer.
 *
 * Streamed and whole answers are one: a duplicate of either kind shares the call of the other, gets the answer in the
 * form it asked for, and joins a running stream with all that was sent of it so far.
 *
 * Put it last among the client's middleware: what comes after it may change requests unseen. Calls with middleware of
 * their own are therefore not shared, unless they give a key.
 *
 * Per call: `{ idem: { ttl, bypass, refresh, scope, key, … } }` in the request options, and the SDK's own `idempotencyKey`. Errors
 * of idem arrive as the SDK's API errors, with the code in `errorCode`, and are not retried.
 */
export function idempotency(idem: Idem, client: ClientOptions = {}): Middleware {
  assertClientOptions(client, 'idempotency')
  return async (request, next, { options }) => {
    const { body, method = 'GET' } = request
    // Without options it is not an API call but, say, a token exchange.
    if (options === undefined || typeof body !== 'string') return next(request)
    const perCall = (options as IdemRequestOptions).idem
    const key = perCall?.key ?? options.idempotencyKey
    // It runs after this one and may change the request: what it is then cannot be seen from here.
    const isUnknowable = (options.middleware?.length ?? 0) > 0 && key === undefined
    return idem.exchange({
      dialect: messagesDialect,
      request: { ...request, method, body },
      send: ({ signal }) => next({ ...request, signal: signal ?? null }),
      options: { ...perCall, ...(key !== undefined && { key }), ...(isUnknowable && { bypass: true }) },
      client,
      // The SDK's own timer starts inside `next`, which a caller that waits for another one's call never reaches.
      timeoutMs: options.timeout,
    })
  }
}

/** A copy of `client` whose calls go through idem: the client's own middleware first, then `idempotency(idem)`. */
export function withIdem<Client extends Anthropic>(
  client: Client,
  idem: Idem,
  options?: ClientOptions,
): Client {
  return client.withOptions({ middleware: [...client.middleware, idempotency(idem, options)] })
}
