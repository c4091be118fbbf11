import { type LocalCache, type LocalCacheOptions, localCacheOf } from '../call/local-cache.js'
import { assertDialects, type Dialect } from '../dialect/dialect.js'
import { InvalidArgumentError } from '../errors/caller-errors.js'
import { memoryStore } from '../memory/memory-store.js'
import type { Logger } from '../observe/events.js'
import { assertPrices, type Prices } from '../observe/prices.js'
import { assertStore } from '../store/assert-store.js'
import type { Store } from '../store/store.js'
import * as check from '../util/assert.js'
import { assertPolicy, type CallOptions, type Policy, type PolicyRequest } from './call-options.js'
import { assertFetch, type Fetch } from './platform-fetch.js'
import { type Ttl, ttlMs } from './ttl.js'
import { type Tuning, tuned } from './tuning.js'

/** What `createIdem` takes; each default has its reason. */
export interface IdemOptions extends Policy {
  /**
   * Where locks and records live.
   * @default memoryStore(), which collapses inside this process and shares with no other
   */
  readonly store?: Store
  /**
   * How long an answer is replayed: a name (`retry` 60 s, `chat` 5 min, `analysis` 1 h, `batch` 24 h), ms, or a
   * duration such as `'90s'`.
   * @default 'analysis' (1 h): most duplicates come within seconds, re-asked analyses within the hour
   */
  readonly ttl?: Ttl
  /**
   * What holds for a request, by what it is. The options of a client and of a call win over it, and it over those
   * here. A ttl it gives counts as explicit.
   * @default none
   */
  readonly policy?: (request: PolicyRequest) => CallOptions | undefined
  /**
   * Whose `run` calls share, where a call names no scope. HTTP calls are scoped by their credential.
   * @default 'default'
   */
  readonly scope?: string
  /**
   * What becomes of a provider's call when everybody who waited for it has aborted, or stopped reading, in every
   * process: it is cancelled after abandonGraceMs, or finished and stored. After a timeout it always goes on, since
   * the retry finds its answer; so does the work of `run`.
   * @default 'cancel': finishing is billed
   */
  readonly ifAbandoned?: 'cancel' | 'finish'
  /**
   * What to do when the store cannot be reached: make the call anyway, or fail with IDEM_STORE_UNAVAILABLE.
   * @default 'execute': a duplicate costs money, a refused call costs a user
   */
  readonly ifStoreFails?: 'execute' | 'reject'
  /**
   * What to do when maxWaitMs is over: fail with IDEM_WAIT_TIMEOUT, or make the call too.
   * @default 'reject': the execution may still be running, and paid for
   */
  readonly ifWaitTimesOut?: 'execute' | 'reject'
  /**
   * Keeps stored answers in this process for a moment, so that a replay does not ask the store. What this process
   * forgets or refreshes counts at once; what another one does, when maxAgeMs is over.
   * @default none: every process sees what another one has forgotten
   * @example { maxAgeMs: 2_000 }
   */
  readonly localCache?: LocalCacheOptions
  /** The providers whose requests `idem.fetch` recognises; others pass through it untouched. @default none */
  readonly dialects?: readonly Dialect[]
  /**
   * What `idem.fetch` calls: a fetch with a proxy, say, or that of a test. It is called as the platform's is, and
   * answers with a Response of the platform. A credential that it adds is not seen by idem: give a scope then.
   * @default the platform's, as `globalThis.fetch` is at each call
   * @example (input, init) => fetch(input, { ...init, dispatcher: proxy })
   */
  readonly fetch?: Fetch
  /** Prices by model, in dollars; they win over the dialects' own lists. @default none */
  readonly prices?: Prices
  /** Times and limits. @default {}: each has its own */
  readonly tuning?: Tuning
  /**
   * Where warnings go, each kind once; and, if it has `info`, a line for each call that was not paid for. Never a
   * prompt, an answer or a credential.
   * @default the console, for warnings alone
   */
  readonly logger?: Logger
}

const DEFAULTS = {
  ttl: 'analysis',
  policy: undefined,
  sampling: 'window',
  toolCalls: 'share',
  ignoreBodyFields: [],
  ignoreHeaders: [],
  scopeHeaders: [],
  keepHeaders: [],
  prices: {},
  scope: 'default',
  ifAbandoned: 'cancel',
  ifStoreFails: 'execute',
  ifWaitTimesOut: 'reject',
  localCache: undefined,
  dialects: [],
  fetch: undefined,
  tuning: {},
  // biome-ignore lint/suspicious/noConsole: where warnings go that nobody gave another place
  logger: { warn: (message: string) => console.warn(message) },
} as const

/** The options with every default in place. */
export interface Settings
  extends Required<Omit<IdemOptions, 'ttl' | 'policy' | 'localCache' | 'fetch' | 'tuning'>>,
    Required<Tuning>,
    Pick<IdemOptions, 'policy' | 'fetch'> {
  /** ms */
  readonly ttl: number
  readonly localCache: LocalCache | undefined
}

/** @throws InvalidArgumentError for an option that cannot be used */
export function settingsOf(options: IdemOptions): Settings {
  check.assertKnown(options, [...Object.keys(DEFAULTS), 'store'], 'createIdem')
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const { ttl, tuning, localCache, ...chosen } = {
    ...DEFAULTS,
    store: options.store ?? memoryStore(),
    ...given,
  }
  const settings: Settings = {
    ...chosen,
    ...tuned(tuning),
    ttl: ttlMs(ttl),
    localCache: localCacheOf(localCache),
  }
  assertStore(settings.store)
  check.assertOneOf(settings.ifAbandoned, ['cancel', 'finish'], 'ifAbandoned')
  check.assertScope(settings.scope)
  assertDialects(settings.dialects)
  assertPolicy(settings)
  assertPrices(settings.prices)
  if (!hasWarn(settings.logger)) {
    throw new InvalidArgumentError('logger must have a warn(message), as console has.')
  }
  if (settings.policy !== undefined && typeof settings.policy !== 'function') {
    throw new InvalidArgumentError('policy must be a function of the request.')
  }
  if (settings.fetch !== undefined) assertFetch(settings.fetch)
  check.assertOneOf(settings.ifStoreFails, ['execute', 'reject'], 'ifStoreFails')
  check.assertOneOf(settings.ifWaitTimesOut, ['execute', 'reject'], 'ifWaitTimesOut')
  return settings
}

/** Whether warnings can go there. A getter that throws is no reason to refuse a logger: it is only called guarded. */
function hasWarn(logger: Partial<Logger> | null): boolean {
  try {
    return typeof logger?.warn === 'function'
  } catch {
    return true
  }
}
