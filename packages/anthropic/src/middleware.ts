import type { Middleware, MiddlewareContext } from '@anthropic-ai/sdk'
import type { BaseAnthropic } from '@anthropic-ai/sdk/client'
import { type ClientOptions, type Idem, InvalidArgumentError } from '@idem/core'
import {
  assertClientOptions,
  assertIdem,
  holdAsWell,
  isTimeoutBeside,
  readBody,
  tellingOf,
  warnOfPatches,
  warnThrough,
  withKey,
} from '@idem/core/dialect'
import { messagesDialect } from './dialect.js'
import type { IdemRequestOptions, WithIdem } from './request-options.js'

/**
 * Middleware for the Anthropic SDK: identical `messages.create` calls share one upstream call and one answer, also
 * across retries, since it sits below them. A caller's timeout ends its own wait and not the call, so that a retry
 * finds the answer.
 *
 * A streamed and a whole request share one call. Each caller gets the answer in the form it asked for; one that joins a
 * running stream gets what was sent so far, then the rest live.
 *
 * Put it last among the client's middleware: what comes after it may change requests unseen. Calls with middleware of
 * their own are therefore not shared, unless they give a key.
 *
 * Per call: `{ idem: { ttl, bypass, refresh, scope, key, … } }` in the request options, and the SDK's own
 * `idempotencyKey`. `fetchOptions: { idem }` holds for what the call's own `idem` leaves open. Errors of idem arrive as
 * the SDK's API errors, with the code in `errorCode`, and are not retried.
 */
export function idempotency(idem: Idem, client: ClientOptions = {}): Middleware {
  assertIdem(idem, 'idempotency(idem)')
  assertClientOptions(client, 'idempotency')
  const middleware: Middleware = async ({ idem: inFetchOptions, ...request }, next, context) => {
    const { options } = context
    const { body: given, method = 'GET', url, ...init } = request
    const isBodiless = given === undefined || given === null
    // A request without options is not an API call: a token exchange, for example.
    if (options === undefined || isBodiless || !messagesDialect.matches({ method, url })) return next(request)
    const first = firstOf.get(context) ?? middleware
    firstOf.set(context, first)
    if (first !== middleware) warnThrough(idem, 'middleware-twice', TWICE)
    const { text: body, body: sent, opaque } = readBody(given)
    const asked = withKey([inFetchOptions, (options as IdemRequestOptions).idem], options.idempotencyKey)
    // Middleware of the call runs after this one and may change the request, which cannot be seen from here.
    const isUnknowable = (options.middleware?.length ?? 0) > 0 && asked?.key === undefined
    // The client's `fetchOptions` come with the request.
    const told = tellingOf(init)
    return idem.exchange({
      dialect: messagesDialect,
      request: { ...request, method, body, init: told.init },
      opaque: opaque ?? (isUnknowable ? OWN_MIDDLEWARE : told.opaque),
      send: ({ signal }) => next({ ...request, body: sent as typeof given, signal: signal ?? null }),
      options: asked,
      client,
      // The SDK's own timer starts inside `next`. A caller that waits for another one's call never gets there.
      timeoutMs: options.timeout,
      isTimeout: () => isTimeoutBeside(options.signal),
    })
  }
  ours.add(middleware)
  return middleware
}

const OWN_MIDDLEWARE = {
  topic: 'request-middleware',
  warning:
    'A call has middleware of its own, which runs after idem and may change the request unseen. The call was made and ' +
    'NOT shared. Give it a key to share it, { idem: { key } }, or put the middleware on the client, before idem.',
}

const TWICE =
  'idempotency() is among the middleware of a client more than once. The first one does the work: the options of the ' +
  'others, a scope say, do NOTHING. Leave one, or call withIdem(client, idem, options), which replaces the others.'

/** Every middleware made by `idempotency()`. */
const ours = new WeakSet<Middleware>()

/** By request: the first of these that it reached. All middleware of one request is given the same context. */
const firstOf = new WeakMap<MiddlewareContext, Middleware>()

/**
 * A copy of `client` whose calls go through idem: the client's own middleware first, then `idempotency(idem)`. It
 * replaces an earlier one: of several `withIdem` the last holds, with its options alone. It stays last on the copies
 * that `withOptions()` makes, even if they are given more middleware.
 *
 * A warning names what may add a user's credential below idem, where idem cannot see it: a `fetch` of the client's own,
 * a subclass's `prepareRequest`. Name a `scope` then. Patch a client, with a tracer say, after `withIdem`: what was
 * patched before is not on the copy, and is warned of.
 *
 * @param options what holds for all calls of this client
 * @throws InvalidArgumentError for anything but a client, an idem and its options
 * @example
 * const anthropic = withIdem(new Anthropic(), createIdem())
 * await anthropic.messages.create(params, { idem: { ttl: 'chat' } })
 */
export function withIdem<Client extends BaseAnthropic>(
  client: Client,
  idem: Idem,
  options: ClientOptions = {},
): WithIdem<Client> {
  const isClient = typeof client?.withOptions === 'function'
  if (isClient && 'messages' in client && !Array.isArray(client.middleware)) {
    throw new InvalidArgumentError(
      'withIdem of @idem/anthropic needs version 0.101 of the Anthropic SDK, or a later one: this version has no ' +
        'middleware. Give the client fetch: idem.fetch instead, and createIdem({ dialects: [messagesDialect] }).',
    )
  }
  if (!isClient || !Array.isArray(client.middleware)) {
    throw new InvalidArgumentError(
      'withIdem of @idem/anthropic needs a client of the Anthropic SDK: withIdem(new Anthropic(), idem).',
    )
  }
  const last = idempotency(idem, options)
  if (options.scope === undefined) warnOfUnseen(client, idem)
  const copy: Client = Object.assign(copyOf(client, idem), {
    middleware: [...client.middleware.filter((one) => !ours.has(one)), last],
  })
  return keptOn(copy, last, (changed) => {
    if (options.scope === undefined) warnOfUnseen(changed, idem)
  }) as unknown as WithIdem<Client>
}

/** A second client with the same settings, class and methods. */
function copyOf<Client extends BaseAnthropic>(client: Client, idem: Idem): Client {
  try {
    const copy = client.withOptions({})
    warnOfPatches(idem, client, copy)
    return holdAsWell(copy, client)
  } catch (cause) {
    throw new InvalidArgumentError(
      'withIdem could not copy this client: its withOptions({}) failed. Give the client middleware: [idempotency(idem)].',
      { cause },
    )
  }
}

/** Makes the client's `withOptions` keep idem, whatever middleware it is given. */
function keptOn<Client extends BaseAnthropic>(
  client: Client,
  last: Middleware,
  onOwnFetch: (copy: Client) => void,
): Client {
  const withOptions = unwrapped.get(client.withOptions) ?? client.withOptions
  const wrapped = ({ middleware, ...changed }: Parameters<typeof withOptions>[0] = {}): Client => {
    const others = middleware?.filter((one) => one !== last)
    // An idem that is given here replaces the earlier one.
    const isReplaced = others?.some((one) => ours.has(one)) ?? false
    const kept = others && (isReplaced ? others : [...others, last])
    const copy = withOptions.call(client, { ...changed, ...(kept && { middleware: kept }) }) as Client
    if (isReplaced) return copy
    if (changed.fetch) onOwnFetch(copy)
    return keptOn(copy, last, onOwnFetch)
  }
  unwrapped.set(wrapped, withOptions)
  // Not enumerable, like the SDK's own methods.
  Object.defineProperty(client, 'withOptions', { value: wrapped, configurable: true, writable: true })
  return client
}

/** By each `withOptions` made here: the SDK's own. */
const unwrapped = new WeakMap<BaseAnthropic['withOptions'], BaseAnthropic['withOptions']>()

function warnOfUnseen(client: BaseAnthropic, idem: Idem): void {
  const { fetch, _options } = client as unknown as Inside
  const isOwnFetch = _options.fetch !== undefined && fetch !== globalThis.fetch && fetch !== idem.fetch
  if (isOwnFetch) warnOf('fetch', 'this client has a fetch of its own')
  if (hasOwnHook(client)) warnOf('hook', 'the class of this client has a prepareRequest of its own')

  function warnOf(topic: string, what: string): void {
    warnThrough(
      idem,
      `${topic}-below`,
      `withIdem: ${what}, below idem. Whatever credential it adds is NOT seen, and its users would share answers. ` +
        'Pass a scope: withIdem(client, idem, { scope }), one for each user, or one for all that may share.',
    )
  }
}

/** Members that the SDK keeps private. */
interface Inside {
  readonly fetch: unknown
  readonly _options: { readonly fetch?: unknown }
}

/** Whether any class between this client and the SDK's base class defines such a hook. */
function hasOwnHook(client: BaseAnthropic): boolean {
  for (let one: object = client; one !== null; one = Object.getPrototypeOf(one)) {
    if (Object.hasOwn(one, 'fetchWithTimeout')) return false
    if (Object.hasOwn(one, 'prepareRequest')) return true
  }
  return false
}
