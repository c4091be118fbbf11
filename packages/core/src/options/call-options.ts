import { InvalidArgumentError } from '../errors/invalid-argument-error.js'
import { assertKey } from '../key.js'
import * as check from '../options.js'
import { type Ttl, ttlMs } from '../ttl.js'
import type { Identity } from './dialect.js'

/** How calls are shared. */
export interface Policy {
  /** How long the answer is replayed: a name, ms or a duration. The first caller's counts. */
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
  /** Members of the request's body that do not make it another request, e.g. `['metadata']`. @default none */
  readonly ignore?: readonly string[]
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

const POLICY_NAMES = ['ttl', 'sampling', 'toolCalls', 'ignore'] as const
const CLIENT_NAMES = [...POLICY_NAMES, 'bypass', 'scope'] as const
const CALL_NAMES = [...CLIENT_NAMES, 'refresh', 'key'] as const

/** @throws InvalidArgumentError for what no client can be given */
export function assertClientOptions(options: unknown, where: string): asserts options is ClientOptions {
  assertOptions(options, CLIENT_NAMES, where)
}

/** @throws InvalidArgumentError for what no call can ask for */
export function assertCallOptions(options: unknown, where: string): asserts options is CallOptions {
  assertOptions(options, CALL_NAMES, where)
}

/** @throws InvalidArgumentError for a value that is none */
export function assertPolicy({ ttl, sampling, toolCalls, ignore }: Policy): void {
  if (ttl !== undefined) ttlMs(ttl)
  if (sampling !== undefined) check.assertOneOf(sampling, ['window', 'bypass'], 'sampling')
  if (toolCalls !== undefined) check.assertOneOf(toolCalls, ['share', 'store'], 'toolCalls')
  if (ignore !== undefined && !(Array.isArray(ignore) && ignore.every((name) => typeof name === 'string'))) {
    throw new InvalidArgumentError('ignore must be a list of names of body members.')
  }
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

/** The defaults of what a call may leave open. */
type Defaults = Required<Pick<Policy, 'sampling' | 'toolCalls' | 'ignore'>>

/** What holds for one call. */
export type MergedOptions = CallOptions & Defaults

/** Of the layers the last that says something, each name for itself. */
export function merged(defaults: Defaults, ...layers: readonly (CallOptions | undefined)[]): MergedOptions {
  const said = layers.map((layer = {}) => Object.entries(layer).filter(([, value]) => value !== undefined))
  return { ...defaults, ...Object.fromEntries(said.flat()) }
}

/** How long a call's answer is good for, ms; `bypass` where it is good for nobody else. */
export function ttlFor(
  { ttl, key, sampling }: Pick<MergedOptions, 'ttl' | 'key' | 'sampling'>,
  { isSampled }: Pick<Identity, 'isSampled'>,
  defaults: { readonly ttl: number },
): number | 'bypass' {
  if (ttl !== undefined) return ttlMs(ttl)
  // Who gives a key has said what is the same.
  if (!isSampled || key !== undefined) return defaults.ttl
  return sampling === 'bypass' ? 'bypass' : Math.min(defaults.ttl, ttlMs('retry'))
}
