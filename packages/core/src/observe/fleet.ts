import { randomBytes } from 'node:crypto'
import type { Background } from '../background.js'
import type { Events } from '../events.js'
import type { GuardedStore } from '../guard.js'
import { NO_TOTALS, onTotals, plus, type Stats, statsOf, type Totals } from './stats.js'

/** The statistics of all processes that share a store. */
export interface FleetStats extends Stats {
  /** How many idems the numbers are of; those of a day that one ran through count once for each day. */
  readonly reports: number
  /** The first and the last day (UTC, `YYYY-MM-DD`). */
  readonly from: string
  readonly to: string
}

/** How long what was counted waits for more before it is written, ms: one small write a second at most. */
const WRITE_EVERY_MS = 1_000
const DAY_MS = 24 * 60 * 60_000
/** How long a day's numbers can be read, days. */
export const FLEET_DAYS = 32

/**
 * Adds up what the processes of a fleet did, a day at a time. Each idem writes its own totals of the day under its own
 * name, cumulative, so that a write that is repeated counts once. Never in the way of a call: a write that fails is
 * made up for by the next, for which it takes no call.
 */
export class Fleet {
  readonly #store: GuardedStore
  readonly #background: Background
  readonly #name = randomBytes(9).toString('base64url')
  #day = dayOf(Date.now())
  #totals = NO_TOTALS
  /** What the store has of them. */
  #written = NO_TOTALS
  #timer: NodeJS.Timeout | undefined

  constructor(events: Events, store: GuardedStore, background: Background) {
    this.#store = store
    this.#background = background
    onTotals(events, (some) => this.#add(some))
  }

  /** The last `days` days, today included (UTC). Without a store that keeps reports: what this idem did today. */
  async read(days: number): Promise<FleetStats> {
    await this.flush()
    if (!this.#store.reports) return fleetStatsOf([this.#totals], this.#day, this.#day)
    const names = Array.from({ length: days }, (_, back) => dayOf(Date.now() - back * DAY_MS))
    const reports: Totals[] = []
    for (const day of names) {
      for (const report of await this.#store.reports(boardOf(day))) reports.push(parsed(report))
    }
    return fleetStatsOf(reports, names.at(-1)!, names[0]!)
  }

  /** Writes what has not been written yet. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const totals = this.#totals
    if (totals === this.#written) return
    const bytes = Buffer.from(JSON.stringify(totals))
    try {
      await this.#store.report?.(boardOf(this.#day), this.#name, bytes, FLEET_DAYS * DAY_MS)
      this.#written = totals
    } catch {
      // It is in the next write, too. The last one is when idem closes.
      if (!this.#background.closing.aborted) this.#flushSoon()
    }
  }

  #add(some: Partial<Totals>): void {
    const day = dayOf(Date.now())
    if (day !== this.#day) {
      this.#background.add(this.flush())
      this.#day = day
      this.#totals = NO_TOTALS
    }
    this.#totals = plus(this.#totals, some)
    this.#flushSoon()
  }

  #flushSoon(): void {
    this.#timer ??= setTimeout(() => this.#background.add(this.flush()), WRITE_EVERY_MS).unref()
  }
}

function fleetStatsOf(reports: readonly Totals[], from: string, to: string): FleetStats {
  const sum = reports.reduce((totals, report) => plus(totals, report), NO_TOTALS)
  return { ...statsOf(sum), reports: reports.length, from, to }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function boardOf(day: string): string {
  return `stats-${day}`
}

function parsed(report: Uint8Array): Totals {
  try {
    return JSON.parse(Buffer.from(report).toString('utf8'))
  } catch {
    return NO_TOTALS
  }
}
