import { InvalidArgumentError } from './errors/invalid-argument-error.js'
import { assertKey } from './key.js'

/** The longest time a timer of Node holds (2^31 - 1 ms, some 24 days). */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Refuses members nobody knows: a misspelt option must not be ignored. */
export function assertKnown(options: unknown, names: readonly string[], where: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidArgumentError(`${where}: the options must be an object.`)
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`${where}: there is no option '${unknown}'. Known: ${names.join(', ')}.`)
  }
}

/** A duration in ms that is over 0 and that stores and timers can hold. */
export function assertMs(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number' || !(value > 0) || value > MAX_TIMER_MS) {
    throw new InvalidArgumentError(
      `${name} must be a number of ms over 0 and at most ${MAX_TIMER_MS}, not ${value}.`,
    )
  }
}

export function assertWhole(value: unknown, name: string): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) <= 0) {
    throw new InvalidArgumentError(`${name} must be a whole number over 0, not ${value}.`)
  }
}

export function assertOneOf<T extends string>(
  value: unknown,
  allowed: readonly T[],
  name: string,
): asserts value is T {
  if (!allowed.includes(value as T)) {
    throw new InvalidArgumentError(`${name} must be one of '${allowed.join("', '")}', not ${String(value)}.`)
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

export function assertSignal(value: unknown): asserts value is AbortSignal {
  if (!(value instanceof AbortSignal)) throw new InvalidArgumentError('signal must be an AbortSignal.')
}

export function assertBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean')
    throw new InvalidArgumentError(`${name} must be true or false, not ${String(value)}.`)
}
