import { randomBytes } from 'node:crypto'
import type { GuardedStore } from '../store/guard.js'
import type { Background } from '../util/background.js'
import type { Events, Hearing } from './events.js'
import { NO_TOTALS, plus, readTotals, type Stats, statsOf, Tally, type Totals } from './stats.js'

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
  readonly #events: Events
  readonly #store: GuardedStore
  readonly #background: Background
  readonly #name = randomBytes(9).toString('base64url')
  #today = newDay()
  /** The last write. One at a time: of two that are under way together the older one may arrive last, and stand. */
  #writing: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(events: Events, store: GuardedStore, background: Background) {
    this.#events = events
    this.#store = store
    this.#background = background
    events.hear(this.#heard)
  }

  /** The last `days` days, today included (UTC). Without a store that keeps reports: what this idem did today. */
  async read(days: number): Promise<FleetStats> {
    await this.flush()
    if (!this.#store.reports) {
      const { tally, name } = this.#today
      return fleetStatsOf([tally.totals], name, name)
    }
    const names = Array.from({ length: days }, (_, back) => nameOf(dayAt(Date.now()) - back))
    const reports: Totals[] = []
    for (const day of names) {
      for (const bytes of await this.#store.reports(boardOf(day))) {
        const { totals, isDamaged } = readTotals(bytes)
        reports.push(totals)
        if (isDamaged) {
          this.#events.warn(
            'corrupt-report',
            'A report on the numbers of a fleet is damaged. What could not be read of it counts as 0.',
          )
        }
      }
    }
    return fleetStatsOf(reports, names.at(-1)!, names[0]!)
  }

  /** Writes what has not been written yet. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const today = this.#today
    this.#writing = this.#writing.then(() => this.#write(today))
    return this.#writing
  }

  /** Never rejects. */
  async #write(day: Day): Promise<void> {
    const { totals, changes } = day.tally
    if (changes === day.written) return
    const bytes = Buffer.from(JSON.stringify(totals))
    try {
      await this.#store.report?.(boardOf(day.name), this.#name, bytes, FLEET_DAYS * DAY_MS)
      day.written = changes
    } catch {
      // The next write has it, too. The last write is made when idem closes.
      if (!this.#background.closing.aborted) this.#flushSoon()
    }
  }

  readonly #heard: Hearing = (name, event) => {
    if (dayAt(Date.now()) !== this.#today.day) {
      this.#background.add(this.flush())
      this.#today = newDay()
    }
    const { tally } = this.#today
    tally.heard(name, event)
    if (tally.changes !== this.#today.written) this.#flushSoon()
  }

  #flushSoon(): void {
    this.#timer ??= setTimeout(() => this.#background.add(this.flush()), WRITE_EVERY_MS).unref()
  }
}

/** What this idem counted on one day. */
interface Day {
  /** In days since 1970, UTC. */
  readonly day: number
  readonly name: string
  readonly tally: Tally
  /** How often something had been counted when the store was last written to. */
  written: number
}

function newDay(): Day {
  const day = dayAt(Date.now())
  return { day, name: nameOf(day), tally: new Tally(), written: 0 }
}

function fleetStatsOf(reports: readonly Totals[], from: string, to: string): FleetStats {
  const sum = reports.reduce((totals, report) => plus(totals, report), NO_TOTALS)
  return { ...statsOf(sum), reports: reports.length, from, to }
}

/** The day (UTC) of this time, in days since 1970. */
function dayAt(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

function nameOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

function boardOf(day: string): string {
  return `stats-${day}`
}
