import { InvalidArgumentError } from '../errors/caller-errors.js'

/** The platform's `fetch`, or one that is called like it. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** Marks the `fetch` of every idem, of whatever copy of this package. */
const IS_IDEM = Symbol.for('idem.fetch')

export function asIdemFetch<T extends object>(fetch: T): T {
  return Object.defineProperty(fetch, IS_IDEM, { value: true })
}

/** @throws InvalidArgumentError for what `idem.fetch` cannot call */
export function assertFetch(fetch: unknown): asserts fetch is Fetch {
  if (typeof fetch !== 'function') {
    throw new InvalidArgumentError('fetch must be a function that is called as the platform’s fetch is.')
  }
  if (!isIdemFetch(fetch)) return
  throw new InvalidArgumentError(
    "fetch must not be the fetch of an idem: the inner one would share nothing. Pass the platform's own, or leave it out.",
  )
}

/**
 * What an `idem.fetch` calls. The platform's is looked up at each call: tests and tracing replace it when they like.
 * @throws InvalidArgumentError where it has been replaced by the fetch of an idem
 */
export function fetchBelow(given: Fetch | undefined): Fetch {
  const fetch = given ?? globalThis.fetch
  if (!isIdemFetch(fetch)) return fetch
  throw new InvalidArgumentError(
    'globalThis.fetch is the fetch of an idem, which would call itself. Nothing was sent. ' +
      "Keep the platform's own and pass it: createIdem({ fetch: platformFetch }).",
  )
}

function isIdemFetch(fetch: unknown): boolean {
  return typeof fetch === 'function' && IS_IDEM in fetch
}
