import { AsyncLocalStorage } from 'node:async_hooks'
import type { Call } from '../engine.js'
import { ClosedError } from '../errors/closed-error.js'
import { isIdemError } from '../errors/idem-error.js'
import { assertKey, digest, payloadDigest, storeKey } from '../key.js'
import * as check from '../options.js'
import { answerStream, answerWhole, type Shared } from './answers.js'
import type { Dialect, HttpRequest, Identity } from './dialect.js'
import type { CallOptions, Exchange, HttpDoor } from './door.js'
import { isStream } from './forms.js'
import { httpCodec } from './http-codec.js'
import { headOf, NOT_KEPT, type Recorded, readAnswer } from './recorded.js'
import { recordStream } from './recorder.js'
import { errorResponse } from './response.js'

/**
 * One HTTP request through the loop. Errors of idem come back as error responses in the provider's shape; the only
 * rejections are those of `send` and of this caller's own signal. A stream begins as soon as the answer does.
 */
export async function exchange(door: HttpDoor, one: Exchange): Promise<Response> {
  const { dialect, request, send } = one
  const identity = identify(dialect, request)
  // Not a request of this dialect, or a stream it cannot read: untouched. Below another door of idem: its work is done
  // there.
  const isForeign = !identity || (identity.streaming && !dialect.streams)
  if (isForeign || below.getStore()) return send(request)
  const sendOn = (one: HttpRequest) => below.run(true, () => send(one))
  try {
    if (door.isClosing()) throw new ClosedError()
    const options = callOptions(one)
    if (one.scope !== undefined) check.assertScope(one.scope)
    const scope = options.scope ?? one.scope ?? credentialScope(request, identity)
    if (scope === undefined) warnUnscoped(door)
    if (options.bypass || scope === undefined) {
      door.counters.bypassed()
      return await sendOn(request)
    }
    const call = callOf({ door, one, sendOn }, identity, { ...options, scope })
    const answer = identity.streaming ? answerStream : answerWhole
    return await answer({ door, one, call, sendOn })
  } catch (error) {
    if (isIdemError(error)) return errorResponse(dialect, error)
    throw error
  }
}

/** The request as the loop knows it. */
function callOf(
  { door: { settings, warn }, one: { dialect, request, timeoutMs }, sendOn }: Omit<Shared, 'call'>,
  { payload, streaming }: Identity,
  { scope, key, ttl = settings.ttl }: CallOptions & { readonly scope: string },
): Call<Recorded> {
  const { streams } = dialect
  const fingerprint = payloadDigest(payload)
  return {
    id: storeKey(dialect.door, scope, key ?? fingerprint),
    fingerprint,
    ttlMs: ttl,
    // A caller that allows more time than we do gets it.
    maxWaitMs: Math.max(settings.maxWaitMs, timeoutMs ?? 0),
    maxExecutionMs: Math.max(settings.maxExecutionMs, timeoutMs ?? 0),
    // One that allows little keeps half of it for the call itself.
    storeBudgetMs: Math.min(settings.storeBudgetMs, (timeoutMs ?? Number.POSITIVE_INFINITY) / 2),
    onAbandon: settings.onAbandon,
    isLive: streams !== undefined,
    async work(signal, begin) {
      const response = await sendOn({ ...request, signal })
      const answer =
        streams && isStream(headOf(response))
          ? await recordStream(response, streams, settings.recordLimitBytes, begin)
          : await readAnswer(response)
      return answer === NOT_KEPT ? NOT_KEPT : { ...answer, askedStream: streaming }
    },
    codec: httpCodec(dialect, request, settings.recordLimitBytes, warn),
  }
}

/** Set on the way from a door to the provider: what comes by there has been through a door already. */
const below = new AsyncLocalStorage<true>()

function identify(dialect: Dialect, request: HttpRequest): Identity | undefined {
  if (!dialect.matches(request)) return undefined
  try {
    return dialect.identify(request)
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

function warnUnscoped({ warn }: HttpDoor): void {
  warn(
    'unscoped',
    'A request shows no credential, so it cannot be told whose it is: it was NOT shared. Pass a scope to share it.',
  )
}

/** The checked options; an `Idempotency-Key` header is the key where they name none. It stays on the wire. */
function callOptions({ options: given = {}, request }: Exchange): CallOptions {
  check.assertKnown(given, ['ttl', 'bypass', 'scope', 'key'], 'idem options')
  const options = { ...given, key: given.key ?? request.headers.get('idempotency-key') ?? undefined }
  if (options.ttl !== undefined) check.assertMs(options.ttl, 'ttl')
  if (options.scope !== undefined) check.assertScope(options.scope)
  if (options.key !== undefined) assertKey(options.key)
  if (options.bypass !== undefined) check.assertBoolean(options.bypass, 'bypass')
  return options
}
