import milliseconds from 'ms'
import { InvalidArgumentError } from '../errors/caller-errors.js'
import { assertMs } from '../util/assert.js'

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

/** The units of a duration. The type and the parser are both made of this list. */
const UNITS = [
  ...['ms', 'msec', 'msecs', 'millisecond', 'milliseconds'],
  ...['s', 'sec', 'secs', 'second', 'seconds'],
  ...['m', 'min', 'mins', 'minute', 'minutes'],
  ...['h', 'hr', 'hrs', 'hour', 'hours'],
  ...['d', 'day', 'days'],
  ...['w', 'week', 'weeks'],
] as const

type Unit = (typeof UNITS)[number]

/** A number with its unit, in lower case, e.g. `'90s'`, `'15m'`, `'2 hours'`, `'1.5d'`. */
export type Duration = `${number}${Unit}` | `${number} ${Unit}`

/** How long an answer is replayed: a name, ms, or a duration. At most 24 days, the longest time a timer holds. */
export type Ttl = TtlName | number | Duration

/**
 * A ttl in ms.
 * @throws InvalidArgumentError for what is not a ttl
 */
export function ttlMs(ttl: unknown): number {
  if (typeof ttl === 'number') {
    assertMs(ttl, 'ttl')
    return ttl
  }
  if (typeof ttl === 'string') {
    if (Object.hasOwn(NAMED, ttl)) return NAMED[ttl as TtlName]
    const ms = durationMs(ttl)
    if (ms !== undefined) {
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

/** The ms of a text of type Duration; undefined for any other text. A number without a unit may be meant as seconds. */
function durationMs(text: string): number | undefined {
  if (text.length > 100) return undefined
  for (const unit of UNITS) {
    const number = text.endsWith(unit) ? text.slice(0, -unit.length) : ''
    // As the type reads numbers: whatever Number() takes for a finite one.
    if (number !== '' && Number.isFinite(Number(number))) return Number(number) * milliseconds(`1 ${unit}`)
  }
  return undefined
}
