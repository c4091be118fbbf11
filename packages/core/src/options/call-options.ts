import type { Identity } from '../dialect/dialect.js'
import { InvalidArgumentError } from '../errors/caller-errors.js'
import { isFieldPath } from '../key/body-fields.js'
import { assertKeepHeaders } from '../response/response-headers.js'
import * as check from '../util/assert.js'
import { assertKey } from '../util/assert.js'
import { type Ttl, ttlMs } from './ttl.js'

/** How calls are shared. */
export interface Policy {
  /**
   * How long the answer is replayed: a name, ms or a duration. The caller whose call is made says how long it is kept; a
   * later caller with a shorter ttl makes a new call once the answer is older than that.
   */
  readonly ttl?: Ttl
  /**
   * What to do with a request that asks for variety, by an explicit temperature over 0 say, where no ttl and no key is
   * given for it. `window`: share it for 60 s, so only with retries and double clicks. `bypass`: make a call of its own.
   * @default 'window'
   */
  readonly sampling?: 'window' | 'bypass'
  /**
   * What to do with an answer that asks for tools to be called: `share` it with those who wait for it now, or `store`
   * it, so that later callers are asked to call the same tools.
   * @default 'share'
   */
  readonly toolCalls?: 'share' | 'store'
  /**
   * Fields of the request's body that do not make it another request, as paths: `metadata`, `metadata.trace_id`, or
   * `messages.*.id`, where `*` stands for every element. A name that has a dot itself cannot be named. The list replaces
   * an outer one.
   * @default none
   * @example ['metadata.trace_id']
   */
  readonly ignoreBodyFields?: readonly string[]
  /**
   * Names of request headers that change neither the answer nor whose it is, beside those idem knows as harmless:
   * they are left out of the key, e.g. `['x-forwarded-for']` behind a proxy. The list replaces an outer one.
   * @default none
   */
  readonly ignoreHeaders?: readonly string[]
  /**
   * Names of request headers that say whose request it is, e.g. `['x-user-id']` on a gateway where all users send one
   * key. They are part of the scope, and of the key. The list replaces an outer one. @default none
   */
  readonly scopeHeaders?: readonly string[]
  /**
   * Names of more response headers that are recorded and given to others with the answer, e.g. `['x-generation-id']`;
   * upper and lower case are the same. By default only what describes the answer is: its content type, its request id,
   * the model's version. Do not name one that identifies a caller. A caller is given what its own list names, of what the
   * list of the executing call kept.
   * @default none
   */
  readonly keepHeaders?: readonly string[]
}

/** What holds for all calls of one client. */
export interface ClientOptions extends Policy {
  /** Make calls of their own: neither answered from a record nor shared with anybody, nor stored. @default false */
  readonly bypass?: boolean
  /** Whose calls share. @default a digest of the credential and the origin of the request */
  readonly scope?: string
}

/** What one HTTP call may ask for. */
export interface CallOptions extends ClientOptions {
  /**
   * Make the call again and replace the record. Until then others are given the old one; it stays when the call
   * fails. Refreshes at the same time are one call. @default false
   */
  readonly refresh?: boolean
  /** What makes calls the same, instead of the request itself; the same key with another request is refused. */
  readonly key?: string
}

/** A request as a policy sees it. */
export interface PolicyRequest {
  /** e.g. `messages`. */
  readonly door: string
  readonly url: string
  /** A copy. */
  readonly headers: Headers
  /** Without what only says how the answer is delivered. A copy. */
  readonly body: Readonly<Record<string, unknown>>
}

const POLICY_NAMES = [
  'ttl',
  'sampling',
  'toolCalls',
  'ignoreBodyFields',
  'ignoreHeaders',
  'scopeHeaders',
  'keepHeaders',
] as const
const CLIENT_NAMES = [...POLICY_NAMES, 'bypass', 'scope'] as const
const CALL_NAMES = [...CLIENT_NAMES, 'refresh', 'key'] as const

/** @throws InvalidArgumentError for an option that a client cannot have */
export function assertClientOptions(options: unknown, where: string): asserts options is ClientOptions {
  assertOptions(options, CLIENT_NAMES, where)
}

/** @throws InvalidArgumentError for an option that a call cannot have */
export function assertCallOptions(options: unknown, where: string): asserts options is CallOptions {
  assertOptions(options, CALL_NAMES, where)
}

/** @throws InvalidArgumentError for a value that an option cannot have */
export function assertPolicy(policy: Policy): void {
  const { ttl, sampling, toolCalls, ignoreBodyFields, ignoreHeaders, scopeHeaders, keepHeaders } = policy
  if (ttl !== undefined) ttlMs(ttl)
  if (sampling !== undefined) check.assertOneOf(sampling, ['window', 'bypass'], 'sampling')
  if (toolCalls !== undefined) check.assertOneOf(toolCalls, ['share', 'store'], 'toolCalls')
  // Spread, since every() skips holes.
  if (
    ignoreBodyFields !== undefined &&
    !(Array.isArray(ignoreBodyFields) && [...ignoreBodyFields].every(isFieldPath))
  ) {
    throw new InvalidArgumentError(
      "ignoreBodyFields must be a list of paths in the body, e.g. ['metadata.trace_id'].",
    )
  }
  if (ignoreHeaders !== undefined) check.assertHeaderNames(ignoreHeaders, 'ignoreHeaders')
  if (scopeHeaders !== undefined) check.assertHeaderNames(scopeHeaders, 'scopeHeaders')
  if (keepHeaders !== undefined) assertKeepHeaders(keepHeaders)
}

function assertOptions(options: unknown, names: readonly string[], where: string): void {
  check.assertKnown(options, names, where)
  const { bypass, refresh, scope, key, ...policy } = options as CallOptions
  assertPolicy(policy)
  if (bypass !== undefined) check.assertBoolean(bypass, 'bypass')
  if (refresh !== undefined) check.assertBoolean(refresh, 'refresh')
  if (scope !== undefined) check.assertScope(scope)
  if (key !== undefined) assertKey(key)
}

/** The default of each option that a call may leave out. */
type Defaults = Required<Omit<Policy, 'ttl'>>

/** The options that hold for one call. */
export type MergedOptions = CallOptions & Defaults

/** Merges layers of options name by name; a later layer wins. */
export function merged(defaults: Defaults, ...layers: readonly (CallOptions | undefined)[]): MergedOptions {
  const said = layers.map((layer = {}) => Object.entries(layer).filter(([, value]) => value !== undefined))
  return { ...defaults, ...Object.fromEntries(said.flat()) }
}

/** How long a call's answer is good for, ms; `bypass` where no other caller may have it. */
export function ttlFor(
  { ttl, key, sampling }: Pick<MergedOptions, 'ttl' | 'key' | 'sampling'>,
  { isSampled }: Pick<Identity, 'isSampled'>,
  defaults: { readonly ttl: number },
): number | 'bypass' {
  if (ttl !== undefined) return ttlMs(ttl)
  // A caller that gives a key has said which requests are the same.
  if (!isSampled || key !== undefined) return defaults.ttl
  return sampling === 'bypass' ? 'bypass' : Math.min(defaults.ttl, ttlMs('retry'))
}
