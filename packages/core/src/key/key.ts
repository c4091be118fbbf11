import { hash } from 'node:crypto'
import { configure } from 'safe-stable-stringify'
import { InvalidArgumentError } from '../errors/caller-errors.js'
import { unfitForJson } from '../util/json.js'

const stringify = configure({ circularValue: Error, bigint: false, strict: true })

/** SHA-256 as 43 characters of base64url: never cut, so that strangers' requests never meet by birthday. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** JSON with its members in order (RFC 8785's: by UTF-16 code units). */
export function canonical(json: unknown): string {
  return stringify(json)!
}

/**
 * The digest of any JSON payload, whatever the order of its members (RFC 8785's order: by UTF-16 code units). Members
 * that are `undefined` count as absent.
 * @throws InvalidArgumentError for what JSON cannot hold, since two different Maps, say, would look the same.
 */
export function payloadDigest(payload: unknown): string {
  let problem: string | undefined
  try {
    problem = unfitForJson(payload, { exact: false })
    if (!problem) return digest(canonical(payload))
  } catch (cause) {
    throw new InvalidArgumentError('A payload could not be read as JSON.', { cause })
  }
  throw new InvalidArgumentError(
    `A payload must be JSON; found ${problem}. Convert it first, e.g. a Date to a string.`,
  )
}

/**
 * What a store knows a request by. Door, scope and key are told apart whatever characters they hold. A fingerprint that
 * serves as the key comes in a list, so that it never meets a key that a caller gave.
 */
export function storeKey(door: string, scope: string, key: string | readonly [fingerprint: string]): string {
  return digest(JSON.stringify([door, scope, key]))
}
