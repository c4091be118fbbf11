import milliseconds from 'ms'
import { InvalidArgumentError } from './errors/invalid-argument-error.js'
import { assertMs } from './options.js'

/** How long answers of each use are good for, ms. */
const NAMED = {
  /** Only retries and double clicks share. */
  retry: 60_000,
  /** Within one conversation. */
  chat: 5 * 60_000,
  /** Code generation and analysis of the same input. */
  analysis: 60 * 60_000,
  /** A batch that is run again after a failure. */
  batch: 24 * 60 * 60_000,
} as const

/** `retry` 60 s, `chat` 5 min, `analysis` 1 h, `batch` 24 h. */
export type TtlName = keyof typeof NAMED

/** A number with its unit, e.g. `'90s'`, `'15m'`, `'2 hours'`, `'1.5d'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd' | ` ${string}`}`

/** How long an answer is replayed: a name, ms, or a duration. At most 24 days, the longest time a timer holds. */
export type Ttl = TtlName | number | Duration

/**
 * A ttl in ms.
 * @throws InvalidArgumentError for what is none
 */
export function ttlMs(ttl: unknown): number {
  if (typeof ttl === 'number') {
    assertMs(ttl, 'ttl')
    return ttl
  }
  if (typeof ttl === 'string') {
    if (Object.hasOwn(NAMED, ttl)) return NAMED[ttl as TtlName]
    // A number without a unit may be meant as seconds.
    const ms =
      /[a-z]$/i.test(ttl) && ttl.length <= 100 ? milliseconds(ttl as milliseconds.StringValue) : undefined
    if (ms !== undefined && ms > 0) {
      assertMs(ms, 'ttl')
      return ms
    }
  }
  throw new InvalidArgumentError(
    `ttl must be ${Object.keys(NAMED).join(', ')}, a number of ms, or a duration such as '90s' or '2h', not ${
      typeof ttl === 'string' ? `'${ttl}'` : typeof ttl
    }.`,
  )
}
