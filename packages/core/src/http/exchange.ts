import { AsyncLocalStorage } from 'node:async_hooks'
import type { Call } from '../engine.js'
import { ClosedError } from '../errors/closed-error.js'
import { isIdemError } from '../errors/idem-error.js'
import { InvalidArgumentError } from '../errors/invalid-argument-error.js'
import { parseObject } from '../json.js'
import { assertKey, digest, payloadDigest, storeKey } from '../key.js'
import { refreshing } from '../refresh.js'
import { answerStream, answerWhole, type Shared } from './answers.js'
import {
  assertCallOptions,
  assertClientOptions,
  type CallOptions,
  type MergedOptions,
  merged,
  type PolicyRequest,
  ttlFor,
} from './call-options.js'
import type { Dialect, HttpRequest, Identity } from './dialect.js'
import type { Exchange, HttpDoor } from './door.js'
import { isStream } from './forms.js'
import { httpCodec } from './http-codec.js'
import { headOf, NOT_KEPT, type Recorded, readAnswer } from './recorded.js'
import { recordStream } from './recorder.js'
import { type Identified, requestPayload } from './request-payload.js'
import { errorResponse } from './response.js'

/**
 * One HTTP request through the loop. Errors of idem come back as error responses in the provider's shape; the only
 * rejections are those of `send` and of this caller's own signal. A stream begins as soon as the answer does.
 */
export async function exchange(door: HttpDoor, one: Exchange): Promise<Response> {
  const { dialect, request, send } = one
  const identity = identify(dialect, request)
  // Not a request of this dialect, or a stream it cannot read: untouched.
  if (!identity || (identity.streaming && !dialect.streams)) return send(request)
  if (below.getStore()) {
    door.events.log(
      'debug',
      `Two doors of idem are on the way of a ${dialect.door} call: the outer one does the work.`,
    )
    return send(request)
  }
  const sendOn = (one: HttpRequest) => below.run(true, () => send(one))
  try {
    if (door.isClosing()) throw new ClosedError()
    const options = optionsFor(door, one, identity)
    const sharing = sharingOf(door, one, identity, options)
    if (!sharing) {
      const response = await sendOn(request)
      door.events.emit('call', { door: dialect.door, outcome: 'bypassed', isRetry: identity.isRetry })
      return response
    }
    const call = callOf({ door, one, sendOn }, identity, { ...options, ...sharing })
    const answer = identity.streaming ? answerStream : answerWhole
    return await answer({ door, one, call, sendOn, isRetry: identity.isRetry })
  } catch (error) {
    if (isIdemError(error)) return errorResponse(dialect, error)
    throw error
  }
}

/** The request as the loop knows it. */
function callOf(
  {
    door: { settings, events },
    one: { dialect, request, timeoutMs },
    sendOn,
  }: Omit<Shared, 'call' | 'isRetry'>,
  identity: Identified,
  options: MergedOptions & Sharing,
): Call<Recorded> {
  const { streams } = dialect
  const { scope, ttl, fingerprint, toolCalls } = options
  const call: Call<Recorded> = {
    id: storeKey(dialect.door, scope, options.key ?? fingerprint),
    fingerprint,
    ttlMs: ttl,
    // A caller that allows more time than we do gets it.
    maxWaitMs: Math.max(settings.maxWaitMs, timeoutMs ?? 0),
    maxExecutionMs: Math.max(settings.maxExecutionMs, timeoutMs ?? 0),
    // One that allows little keeps half of it for the call itself.
    storeBudgetMs: Math.min(settings.storeBudgetMs, (timeoutMs ?? Number.POSITIVE_INFINITY) / 2),
    onAbandon: settings.onAbandon,
    onStoreError: settings.onStoreError,
    onLostOwner: 'execute',
    isLive: streams !== undefined,
    async work(signal, begin) {
      const response = await sendOn({ ...request, signal })
      const answer =
        streams && isStream(headOf(response))
          ? await recordStream(response, streams, settings.recordLimitBytes, begin)
          : await readAnswer(response)
      return answer === NOT_KEPT ? NOT_KEPT : { ...answer, askedStream: identity.streaming }
    },
    codec: httpCodec({ dialect, json: identity.json, toolCalls }, settings.recordLimitBytes, events),
  }
  return options.refresh ? refreshing(call) : call
}

/** Whose a request is, which, and how long its answer is good for, ms. */
interface Sharing {
  readonly scope: string
  readonly fingerprint: string
  readonly ttl: number
}

/** Undefined where the request is not to be shared, or cannot be. */
function sharingOf(
  door: HttpDoor,
  one: Exchange,
  identity: Identified,
  options: MergedOptions,
): Sharing | undefined {
  const scope = options.scope ?? credentialScope(one.request, identity)
  if (scope === undefined) warnUnscoped(door)
  const ttl = ttlFor(options, identity, door.settings)
  if (scope === undefined || ttl === 'bypass' || options.bypass) return undefined
  const fingerprint = fingerprintOf(door, one, identity, options)
  return fingerprint === undefined ? undefined : { scope, fingerprint, ttl }
}

/** The digest of the request; undefined for one that cannot be followed, which the provider is to judge. */
function fingerprintOf(
  { events }: HttpDoor,
  { dialect, request }: Exchange,
  identity: Identified,
  { ignore }: MergedOptions,
): string | undefined {
  try {
    return payloadDigest(requestPayload(request, identity, { dialect, ignore }))
  } catch {
    events.warn(
      'unreadable-body',
      'A request is nested too deeply, or has numbers that are none. It was NOT shared.',
    )
    return undefined
  }
}

/** Set on the way from a door to the provider: what comes by there has been through a door already. */
const below = new AsyncLocalStorage<true>()

function identify(dialect: Dialect, request: HttpRequest): Identified | undefined {
  if (!dialect.matches(request)) return undefined
  try {
    const json = parseObject(request.body)
    return { ...dialect.identify(request.headers, json), json }
  } catch {
    return undefined // A body that is none of this dialect: the provider says what is wrong with it.
  }
}

/** Who asks, without saying who: the digest of the credential, and where it is sent. */
function credentialScope(request: HttpRequest, { credential }: Identity): string | undefined {
  return credential === undefined
    ? undefined
    : digest(JSON.stringify([new URL(request.url).origin, credential]))
}

function warnUnscoped({ events }: HttpDoor): void {
  events.warn(
    'unscoped',
    'A request shows no credential, so it cannot be told whose it is: it was NOT shared. Pass a scope to share it.',
  )
}

/**
 * The checked options: of the call before those of its client, before what the policy says, before the defaults. An
 * `Idempotency-Key` header is the key where the call names none. It stays on the wire.
 */
function optionsFor({ settings }: HttpDoor, one: Exchange, { body }: Identified): MergedOptions {
  const { dialect, request, client = {}, options: call = {} } = one
  assertClientOptions(client, 'options of the client')
  assertCallOptions(call, 'idem options')
  const { url, headers } = request
  const policy = policyFor(settings, { door: dialect.door, url, headers, body })
  if (policy !== undefined) assertCallOptions(policy, 'what the policy returned')
  const header = { key: headers.get('idempotency-key') ?? undefined }
  if (header.key !== undefined) assertKey(header.key)
  const { sampling, toolCalls, ignore } = settings
  return merged({ sampling, toolCalls, ignore }, policy, client, header, call)
}

function policyFor({ policy }: HttpDoor['settings'], request: PolicyRequest): CallOptions | undefined {
  if (!policy) return undefined
  try {
    // Copies, so that what it does to them changes neither the key nor the request.
    const { headers, body } = request
    const said = policy({ ...request, headers: new Headers(headers), body: structuredClone(body) })
    if (said instanceof Promise) {
      said.catch(() => {})
      throw new TypeError('It returned a promise.')
    }
    return said
  } catch (cause) {
    throw new InvalidArgumentError('The policy threw, so it is not known how to share this call.', { cause })
  }
}
