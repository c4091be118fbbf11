import type { Codec } from '../answer/codec.js'
import type { Call } from '../call/engine.js'
import { payloadDigest, storeKey } from '../key/key.js'
import type { RunOptions, WorkContext } from './run-options.js'
import type { Settings } from './settings.js'
import { ttlMs } from './ttl.js'

/** Of a call that says nothing of its request beside the key. */
const NO_FINGERPRINT = payloadDigest(null)

/** One `run` as the loop knows it. Key and fingerprint are fixed here, before any code of the user could change them. */
export function callOfRun(
  key: string,
  work: (context: WorkContext) => unknown,
  options: RunOptions,
  { settings, codec }: { readonly settings: Settings; readonly codec: Codec<unknown> },
): Call<unknown> {
  const { ttl = settings.ttl, scope = settings.scope, ifOwnerLost = 'execute' } = options
  const id = storeKey('run', scope, key)
  return {
    id,
    fingerprint: options.fingerprint == null ? NO_FINGERPRINT : payloadDigest(options.fingerprint),
    isKeyGiven: true,
    ttlMs: ttlMs(ttl),
    maxWaitMs: settings.maxWaitMs,
    maxExecutionMs: settings.maxExecutionMs,
    maxStoreMs: Number.POSITIVE_INFINITY,
    ifStoreFails: ifOwnerLost === 'reject' ? 'reject' : (options.ifStoreFails ?? settings.ifStoreFails),
    ifOwnerLost,
    work: async (signal) => work({ signal, idempotencyKey: id }),
    codec,
  }
}
