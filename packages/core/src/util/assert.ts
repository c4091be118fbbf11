import { InvalidArgumentError } from '../errors/caller-errors.js'
import { isObject, isPlain } from './json.js'

/** The longest time a timer of Node holds (2^31 - 1 ms, some 24 days). */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** The longest key a caller may give, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024

/** Refuses members nobody knows: a misspelt option must not be ignored. */
export function assertKnown(options: unknown, names: readonly string[], where: string): void {
  // A promise, a Map or an object that inherits its members would be read as one without options.
  if (!isObject(options) || !isPlain(options)) {
    throw new InvalidArgumentError(`${where}: the options must be a plain object.`)
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`${where}: there is no option '${unknown}'. Known: ${names.join(', ')}.`)
  }
}

/** Whether it is a duration in ms that is over 0 and that stores and timers can hold. */
export function isMs(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= MAX_TIMER_MS
}

export function assertMs(value: unknown, name: string): asserts value is number {
  if (!isMs(value)) {
    throw new InvalidArgumentError(
      `${name} must be a number of ms over 0 and at most ${MAX_TIMER_MS}, not ${shown(value)}.`,
    )
  }
}

export function assertWhole(value: unknown, name: string): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) <= 0) {
    throw new InvalidArgumentError(`${name} must be a whole number over 0, not ${shown(value)}.`)
  }
}

export function assertOneOf<T extends string>(
  value: unknown,
  allowed: readonly T[],
  name: string,
): asserts value is T {
  if (!allowed.includes(value as T)) {
    throw new InvalidArgumentError(`${name} must be one of '${allowed.join("', '")}', not ${shown(value)}.`)
  }
}

/** @throws InvalidArgumentError unless `key` is a string of 1 to 1024 bytes. */
export function assertKey(key: unknown, name = 'key'): asserts key is string {
  if (typeof key !== 'string')
    throw new InvalidArgumentError(`The ${name} must be a string, not ${typeof key}.`)
  if (key === '') throw new InvalidArgumentError(`The ${name} must not be empty.`)
  const bytes = Buffer.byteLength(key)
  if (bytes > MAX_KEY_BYTES) {
    throw new InvalidArgumentError(
      `The ${name} is ${bytes} bytes long; the limit is ${MAX_KEY_BYTES}. Use idem.digest(payload) to make a short one.`,
    )
  }
}

export function assertScope(value: unknown): asserts value is string {
  assertKey(value, 'scope')
}

/** 43 characters of base64url, as all digests here are. */
export function assertDigest(value: unknown): asserts value is string {
  if (typeof value !== 'string' || !/^[\w-]{43}$/.test(value)) {
    throw new InvalidArgumentError(
      'digest must be one as the key of Cache-Status is: 43 characters of base64url.',
    )
  }
}

/** Names as HTTP takes them (RFC 9110, 5.6.2: a token), in any case. */
export function assertHeaderNames(value: unknown, name: string): asserts value is readonly string[] {
  // `*` is allowed by HTTP, and would be taken for a pattern.
  const isName = (one: unknown) => typeof one === 'string' && /^[\w!#$%&'+.^`|~-]+$/.test(one)
  // Spread, since every() skips holes.
  if (!Array.isArray(value) || ![...value].every(isName)) {
    throw new InvalidArgumentError(
      `${name} must be a list of header names without wildcards, e.g. ['x-user-id'].`,
    )
  }
}

export function assertSignal(value: unknown): asserts value is AbortSignal {
  if (!(value instanceof AbortSignal)) throw new InvalidArgumentError('signal must be an AbortSignal.')
}

export function assertBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean')
    throw new InvalidArgumentError(`${name} must be true or false, not ${shown(value)}.`)
}

/** @throws InvalidArgumentError unless what another package made keeps the version of the contract that core knows */
export function assertSpecVersion(version: unknown, known: number, where: string): void {
  if (version === known) return
  throw new InvalidArgumentError(
    `${where} has the specVersion ${shown(version)}, and this version of @idem/core knows ${known}. Update the older of the two packages.`,
  )
}

/** A value as an error message shows it: never throws, whatever the value is. */
function shown(value: unknown): string {
  try {
    return typeof value === 'string' ? `'${value}'` : String(value)
  } catch {
    return typeof value
  }
}
