import { InvalidArgumentError } from '../errors/caller-errors.js'
import { assertSpecVersion } from '../util/assert.js'
import { STORE_SPEC_VERSION, type Store } from './store.js'

/** The names of all methods. Those of each optional ability come together or not at all. */
export const STORE_METHODS = {
  required: [
    'acquire',
    'renew',
    'complete',
    'release',
    'leaveNote',
    'readNote',
    'read',
    'forget',
    'ready',
    'close',
  ],
  live: ['append', 'tail'],
  reports: ['report', 'reports'],
  watch: ['watch'],
  domain: ['domain'],
  notices: ['onNotice'],
} as const satisfies Record<string, readonly (keyof Store)[]>

/** @throws InvalidArgumentError that says what the store lacks, or which package to update */
export function assertStore(candidate: unknown): asserts candidate is Store {
  const store = Object(candidate) as Partial<Record<string, unknown>>
  const lacks = (name: string) => typeof store[name] !== 'function'
  const { required, ...optional } = STORE_METHODS
  // An ability is kept whole or not at all.
  const halves = Object.values(optional).filter((names) => !names.every(lacks))
  const missing = [required, ...halves].flat().filter(lacks)
  if (missing.length > 0) {
    throw new InvalidArgumentError(
      `createIdem: the store lacks ${missing.join(', ')}. Pass what an adapter returns, e.g. ioredisStore(client).`,
    )
  }
  assertSpecVersion(store.specVersion, STORE_SPEC_VERSION, 'createIdem: the store')
}
