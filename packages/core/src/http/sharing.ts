import type { Dialect, HttpRequest } from '../dialect/dialect.js'
import { InvalidArgumentError } from '../errors/caller-errors.js'
import { digestSteps } from '../key/digest-steps.js'
import { digest } from '../key/key.js'
import { credentialIn, isMadeUpKey, scopedIn } from '../key/request-headers.js'
import { type Identified, readSteps, requestPayload } from '../key/request-payload.js'
import type { Steps } from '../key/steps.js'
import {
  assertCallOptions,
  assertClientOptions,
  type CallOptions,
  type MergedOptions,
  merged,
  type PolicyRequest,
  ttlFor,
} from '../options/call-options.js'
import { assertKey } from '../util/assert.js'
import type { Exchange, HttpDoor, Reason } from './door.js'

/** Whose request it is, which one, and how long its answer is good for, ms. */
export interface Sharing {
  readonly scope: string
  readonly fingerprint: string
  readonly ttl: number
}

/** Undefined where the request is not to be shared, or cannot be. */
export function* sharingOf(
  door: HttpDoor,
  one: Exchange,
  identity: Identified,
  options: MergedOptions,
): Steps<Sharing | undefined> {
  const ttl = ttlFor(options, identity, door.settings)
  if (ttl === 'bypass' || options.bypass) return undefined
  const scope = scopeFor(one, options)
  if (scope === undefined) {
    warnUnscoped(door)
    return undefined
  }
  const fingerprint = yield* fingerprintOf(door, one, identity, options)
  return fingerprint === undefined ? undefined : { scope, fingerprint, ttl }
}

/** A body that is left to the provider to judge. */
const UNREADABLE: Reason = {
  topic: 'unreadable-body',
  warning:
    'The body of a request cannot be followed: it is nested too deeply, or has a number of millions of digits. It was NOT shared.',
}

/** The digest of the request; undefined if it is nested too deeply to be read, which the provider may judge. */
function* fingerprintOf(
  { events }: HttpDoor,
  { dialect, request }: Exchange,
  identity: Identified,
  options: MergedOptions,
): Steps<string | undefined> {
  try {
    return yield* digestSteps(yield* requestPayload(request, identity, { ...options, dialect }))
  } catch {
    events.warn(UNREADABLE.topic, UNREADABLE.warning)
    return undefined
  }
}

/** What the request asks for; undefined where it is not one of this dialect; a reason where nobody can follow it. */
export function* identify(dialect: Dialect, request: HttpRequest): Steps<Identified | Reason | undefined> {
  if (!dialect.matches(request)) return undefined
  try {
    const read = yield* readSteps(request.body)
    return { ...dialect.identify(read.json), ...read }
  } catch (error) {
    // Not a body of this dialect: the provider reports what is wrong with it.
    return error instanceof RangeError ? UNREADABLE : undefined
  }
}

/**
 * Whose request it is, without saying whose: the scope that is given, with what the headers of `scopeHeaders` say; else
 * the digest of its credentials, and of where it is sent.
 */
function scopeFor({ dialect, request }: Exchange, options: MergedOptions): string | undefined {
  if (options.scope !== undefined) {
    const scoped = scopedIn(request.headers, options)
    return scoped === undefined ? options.scope : digest(JSON.stringify([options.scope, scoped]))
  }
  const credential = credentialIn(request.headers, { ...options, dialect })
  return credential === undefined
    ? undefined
    : digest(JSON.stringify([new URL(request.url).origin, credential]))
}

function warnUnscoped({ events }: HttpDoor): void {
  events.warn(
    'unscoped',
    'A request shows no credential, so it cannot be told whose it is. It was NOT shared. To share it, pass a scope, or name the header that says whose it is in scopeHeaders.',
  )
}

/**
 * The checked options: of the call before those of its client, before what the policy says, before the defaults. An
 * `Idempotency-Key` header is the key where the call names none, unless its SDK made it up. It stays on the wire.
 */
export function* optionsFor(door: HttpDoor, one: Exchange): Steps<MergedOptions> {
  const { request, client = {}, options: call = {} } = one
  assertClientOptions(client, 'options of the client')
  assertCallOptions(call, 'idem options')
  const { headers } = request
  const policy = yield* policyFor(door, one)
  if (policy !== undefined) assertCallOptions(policy, 'what the policy returned')
  // An empty header counts as absent.
  const sent = headers.get('idempotency-key') || undefined
  const header = { key: isMadeUpKey(sent) ? undefined : sent }
  const { sampling, toolCalls, ignoreBodyFields, ignoreHeaders, scopeHeaders, keepHeaders } = door.settings
  const defaults = { sampling, toolCalls, ignoreBodyFields, ignoreHeaders, scopeHeaders, keepHeaders }
  const options = merged(defaults, policy, client, header, call)
  // Read only where it is used: a call that is bypassed, or names its own key, must not fail because of its header.
  if (options.key !== undefined && !options.bypass) assertKey(options.key)
  return options
}

function* policyFor({ settings }: HttpDoor, one: Exchange): Steps<CallOptions | undefined> {
  const { policy } = settings
  if (!policy) return undefined
  const copy = yield* copyOf(one)
  try {
    const said = policy(copy)
    if (typeof (said as { then?: unknown } | undefined)?.then === 'function') {
      // A promise of any kind. Nobody else listens to its rejection, which would end the process.
      Promise.resolve(said).catch(() => {})
      throw new TypeError('It returned a promise.')
    }
    return said
  } catch (cause) {
    throw new InvalidArgumentError('The policy threw, so it is not known how to share this call.', { cause })
  }
}

/** A copy, so that a policy can change neither the key nor the request. */
function* copyOf({ dialect, request: { url, headers, body: text } }: Exchange): Steps<PolicyRequest> {
  const { body } = dialect.identify((yield* readSteps(text)).json)
  return { door: dialect.door, url, headers: new Headers(headers), body }
}
