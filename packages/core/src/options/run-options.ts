import { InvalidArgumentError } from '../errors/caller-errors.js'
import * as check from '../util/assert.js'
import { type Ttl, ttlMs } from './ttl.js'

/** What one `run` may ask for. */
export interface RunOptions {
  /**
   * How long the result is replayed: a name, ms or a duration. The caller whose work is run says how long it is kept; a
   * later caller with a shorter ttl runs the work anew once the result is older than that.
   * @default the ttl of createIdem
   */
  readonly ttl?: Ttl
  /** Whose calls share: a tenant's id, say. @default the scope of createIdem */
  readonly scope?: string
  /** What the request is, any JSON: the same key with another fingerprint is refused with IDEM_KEY_REUSED. */
  readonly fingerprint?: unknown
  /** Ends this caller's wait, with the signal's reason. The work goes on for the others and for the record. */
  readonly signal?: AbortSignal
  /** Run the work again and replace the result; others are given the old one meanwhile. @default false */
  readonly refresh?: boolean
  /** Whether the work is run where the store cannot be reached. @default ifStoreFails of createIdem */
  readonly ifStoreFails?: 'execute' | 'reject'
  /**
   * What to do where an execution began and its process was lost, so that nobody knows how it ended: `execute` it
   * again, or reject with IDEM_UNCERTAIN until the ttl is over or the key is forgotten. For effects that are worse
   * done twice than not at all; their results must be JSON, and under maxRecordBytes, or nobody else can be told. It
   * costs four commands more, and means `ifStoreFails: 'reject'`.
   * @default 'execute'
   */
  readonly ifOwnerLost?: 'execute' | 'reject'
}

/** What work is given. */
export interface WorkContext {
  /** Aborted when the work runs over maxExecutionMs (IDEM_EXECUTION_TIMEOUT) or is overtaken (IDEM_SUPERSEDED). */
  readonly signal: AbortSignal
  /** The same for every execution of this request: pass it on as the idempotency key of what the work calls. */
  readonly idempotencyKey: string
}

/** What happened to one call. */
export type Outcome = 'executed' | 'replayed' | 'collapsed'

/** @throws InvalidArgumentError for an option that a `run` cannot have */
export function assertRunOptions(options: RunOptions): void {
  const known = ['ttl', 'scope', 'fingerprint', 'signal', 'refresh', 'ifStoreFails', 'ifOwnerLost']
  check.assertKnown(options, known, 'run')
  const { ttl, scope, signal, refresh, ifStoreFails, ifOwnerLost } = options
  if (ttl !== undefined) ttlMs(ttl)
  if (scope !== undefined) check.assertScope(scope)
  if (signal !== undefined) check.assertSignal(signal)
  if (refresh !== undefined) check.assertBoolean(refresh, 'refresh')
  if (ifStoreFails !== undefined) check.assertOneOf(ifStoreFails, ['execute', 'reject'], 'ifStoreFails')
  if (ifOwnerLost !== undefined) check.assertOneOf(ifOwnerLost, ['execute', 'reject'], 'ifOwnerLost')
  if (ifOwnerLost === 'reject' && ifStoreFails === 'execute') {
    throw new InvalidArgumentError(
      "ifOwnerLost: 'reject' needs a store: it goes with ifStoreFails: 'reject'.",
    )
  }
}
