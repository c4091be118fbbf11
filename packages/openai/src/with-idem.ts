import { type CallOptions, type ClientOptions, type Idem, InvalidArgumentError } from '@idem/core'
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
import type { OpenAI } from 'openai'
import { openaiDialects } from './dialects.js'
import type { WithIdem } from './request-options.js'

/**
 * A copy of `client` whose chat completions, responses and embeddings go through idem, below its retries: identical
 * calls share one upstream call and one answer. All else goes out as it did. The dialects need not be given to
 * `createIdem`.
 *
 * The SDK's timeouts are known here, those of the client and of the call: one ends its caller's wait and not the call,
 * so that the retry finds the answer. An abort is an abort: a call that everybody left is cancelled (`ifAbandoned`).
 *
 * Per call: `{ idem: { ttl, bypass, refresh, scope, key, … } }` in the request options, and the SDK's `idempotencyKey`.
 * `fetchOptions: { idem }` holds for what the call's own `idem` leaves open.
 * Errors of idem arrive as the SDK's API errors, with their code in `code`, and are not retried.
 *
 * Patch a client, with a tracer say, after `withIdem`: what was patched before is not on the copy, and is warned of. Of
 * several `withIdem` the last holds, with its options alone.
 *
 * @param options what holds for all calls of this client. Name a `scope` where a `fetch` of your own below idem adds a
 * user's credential: idem does not see it.
 * @throws InvalidArgumentError for anything but a client, an idem and its options
 * @example
 * const openai = withIdem(new OpenAI(), createIdem())
 * await openai.chat.completions.create(params, { idem: { ttl: 'chat' } })
 */
export function withIdem<Client extends OpenAI>(
  client: Client,
  idem: Idem,
  options: ClientOptions = {},
): WithIdem<Client> {
  const isClient = typeof client?.chat?.completions?.create === 'function'
  if (isClient && typeof client.withOptions !== 'function') {
    throw new InvalidArgumentError(
      'withIdem of @idem/openai needs version 5 of the OpenAI SDK, or a later one: this client has no withOptions(). Give ' +
        'the client fetch: idem.fetch instead, and createIdem({ dialects: openaiDialects }).',
    )
  }
  if (!isClient) {
    throw new InvalidArgumentError(
      'withIdem of @idem/openai needs a client of the OpenAI SDK: withIdem(new OpenAI(), idem).',
    )
  }
  if (inside(client)._options?.x509Transport) {
    throw new InvalidArgumentError(
      'withIdem cannot share the calls of a client with an x509 credential: its transport leaves no place for idem.',
    )
  }
  assertIdem(idem, 'withIdem(client, idem)')
  assertClientOptions(options, 'withIdem')
  warnOfFetch(client, idem, options)
  return through(copyOf(client, idem), idem, options) as WithIdem<Client>
}

/** Members that the SDK keeps private, the same in its versions 5, 6 and 7. */
interface Inside {
  fetch: Fetch
  prepareRequest(request: Init, context: { url: string; options: Asked }): Promise<void>
  readonly _options: { readonly fetch?: Fetch | undefined; readonly x509Transport?: unknown }
  readonly apiVersion?: string
  readonly deploymentName?: string | undefined
}

type Fetch = (url: string | URL | Request, init?: Init) => Promise<Response>

/** The request options of one call, as far as they are read here. */
interface Asked {
  readonly idem?: CallOptions
  readonly idempotencyKey?: string
  readonly timeout?: number
}

function inside(client: OpenAI): Inside {
  return client as unknown as Inside
}

/** The symbol under which a request carries its call's options to the fetch that sends it. A symbol is never sent. */
const ASKED = Symbol('idem.asked')

interface Init extends RequestInit {
  [ASKED]?: {
    readonly options: CallOptions
    readonly timeoutMs: number
    /** The caller's own signal. The one that fetch is given is made by the SDK for this request. */
    readonly signal: AbortSignal | null | undefined
  }
}

/** A second client with the same settings, class and methods. */
function copyOf<Client extends OpenAI>(client: Client, idem: Idem): Client {
  try {
    const copy = client.withOptions(azureOptions(client))
    warnOfPatches(idem, client, copy)
    return holdAsWell(copy, client)
  } catch (cause) {
    throw new InvalidArgumentError(
      'withIdem could not copy this client: its withOptions({}) failed. Give the client fetch: idem.fetch instead.',
      { cause },
    )
  }
}

/** Options that the constructor of AzureOpenAI needs again, and its withOptions does not pass on. */
function azureOptions(client: OpenAI): object {
  const { apiVersion, deploymentName } = inside(client)
  return apiVersion === undefined ? {} : { apiVersion, deployment: deploymentName }
}

/** Puts idem into this client, which is a copy of our own. */
function through<Client extends OpenAI>(client: Client, idem: Idem, options: ClientOptions): Client {
  const { fetch } = inside(client)
  const withOptions = unwrapped.get(client.withOptions) ?? client.withOptions

  let prepareRequest = marking(inside(client).prepareRequest)
  Object.defineProperty(client, 'prepareRequest', {
    get: () => prepareRequest,
    // A hook that is set later runs before the mark is made, as one of a class does.
    set(later: Inside['prepareRequest']) {
      prepareRequest = marking(later)
    },
    configurable: true,
  })

  function marking(prepare: Inside['prepareRequest']): Inside['prepareRequest'] {
    return async (request, context) => {
      await prepare.call(client, request, context)
      const { idem, idempotencyKey, timeout: timeoutMs = client.timeout } = context.options
      const options = withKey([request.idem, idem], idempotencyKey)
      request[ASKED] = { options, timeoutMs, signal: request.signal }
    }
  }

  const sharing: Fetch = async (url, { [ASKED]: asked, idem: _, ...init } = {}) => {
    const { method = 'GET', headers, signal = null } = init
    const dialect = openaiDialects.find((one) => one.matches({ method, url: String(url) }))
    if (!asked || !dialect || init.body === undefined || init.body === null) return fetch(url, init)
    const { text, body, opaque } = readBody(init.body)
    const request = { url: String(url), method, headers: new Headers(headers), body: text, signal }
    // The `fetchOptions` of the client and of the call.
    const told = tellingOf(init)
    return idem.exchange({
      dialect,
      request: { ...request, init: told.init },
      opaque: opaque ?? told.opaque,
      send: ({ headers, signal }) =>
        fetch(url, { ...init, body: body as Init['body'], headers, signal: signal ?? null }),
      options: asked.options,
      client: options,
      timeoutMs: asked.timeoutMs,
      isTimeout: () => isTimeoutBeside(asked.signal),
    })
  }
  inside(client).fetch = sharing
  shared.add(sharing)

  const wrapped = (changed: Parameters<typeof withOptions>[0]) => {
    const copy = withOptions.call(client, { ...azureOptions(client), ...changed }) as Client
    if (changed.fetch) warnOfFetch(copy, idem, options)
    if (inside(copy).fetch === sharing) inside(copy).fetch = fetch
    return through(copy, idem, options)
  }
  unwrapped.set(wrapped, withOptions)
  // Not enumerable, like the SDK's own methods.
  Object.defineProperty(client, 'withOptions', { value: wrapped, configurable: true, writable: true })
  return client
}

/** By each `withOptions` made here: the SDK's own. */
const unwrapped = new WeakMap<OpenAI['withOptions'], OpenAI['withOptions']>()

/** Every fetch that leads through an idem. */
const shared = new WeakSet<Fetch>()

function warnOfFetch(client: OpenAI, idem: Idem, { scope }: ClientOptions): void {
  const { fetch, _options } = inside(client)
  const isKnown = fetch === globalThis.fetch || fetch === idem.fetch || shared.has(fetch)
  if (isKnown || _options.fetch === undefined || scope !== undefined) return
  warnThrough(
    idem,
    'fetch-below',
    'withIdem: this client has a fetch of its own, below idem. Whatever credential it adds is NOT seen, and its users ' +
      'would share answers. Pass a scope: withIdem(client, idem, { scope }), one for each user, or one for all that may share.',
  )
}
