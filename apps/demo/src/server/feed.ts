import { isDeepStrictEqual } from 'node:util'
import type { FleetStats } from '@idem/core'
import { type Lab, MODELS } from '../lab/lab.js'
import { Runs } from '../lab/runs.js'
import { unmet } from '../lab/scenario.js'
import { scenarios } from '../lab/scenarios/index.js'
import { now } from '../shared/clock.js'
import type { CallRow, Changes, KeyRow, RequestRow, RunRow, SavingsPoint, WorldRow } from '../shared/rows.js'

/** What changes within it is sent together, ms. */
const BATCH_MS = 50
/** How often the store is read for keys and savings while something happens, ms. */
const LOOK_EVERY_MS = 500
/** How long it keeps reading after the last change: other processes write their numbers once a second. */
const LOOK_AFTER_MS = 3_000
/** While nothing happens it reads only every so many times. */
const QUIET_LOOKS = 10
/** How much of a prompt, and of the end of an answer, a page is sent: more than it shows. */
const SHOWN_CHARACTERS = 120
/** How many points of the savings are kept, the latest ones. */
const POINTS = 600

/** What pages are sent: everything when they connect, then every change. */
export class Feed {
  readonly runs: Runs
  readonly #lab: Lab
  readonly #pages = new Set<(changes: Changes) => void>()
  readonly #requests = new Map<number, RequestRow>()
  readonly #calls = new Map<string, CallRow>()
  readonly #run = new Map<string, RunRow>()
  readonly #savings: SavingsPoint[] = []
  #keys: readonly KeyRow[] = []
  #timer: NodeJS.Timeout | undefined
  readonly #looking: NodeJS.Timeout
  #isLooking = false
  #looks = 0
  /** The first point is the start, when nothing had happened yet. */
  #changedAt = now()

  constructor(lab: Lab) {
    this.#lab = lab
    this.runs = new Runs(lab, (row) => {
      this.#run.set(row.name, row)
      this.#soon()
    })
    lab.journal.onRequest((row) => this.#requests.set(row.id, shown(row)))
    lab.journal.onCall((row) => this.#calls.set(row.id, row))
    lab.journal.onChange(() => {
      this.#changedAt = now()
      this.#soon()
    })
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  /** @returns a function that ends it */
  open(send: (changes: Changes) => void): () => void {
    send(this.#everything())
    // What it read from the store may be out of date.
    this.lookSoon()
    this.#pages.add(send)
    return () => void this.#pages.delete(send)
  }

  /** Reads the store again soon. */
  lookSoon(): void {
    this.#changedAt = now()
  }

  stop(): void {
    clearInterval(this.#looking)
    clearTimeout(this.#timer)
  }

  #everything(): Changes {
    return {
      ...this.#state(),
      world: worldOf(this.#lab),
      requests: this.#lab.journal.requests.map(shown),
      calls: this.#lab.journal.calls,
      keys: this.#keys,
      savings: this.#savings,
      runs: this.runs.rows,
    }
  }

  #state(): Changes {
    const { workers, redis } = this.#lab
    return { now: now(), workers: workers.rows, isRedisUp: redis?.isUp ?? true }
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS)
  }

  #flush(): void {
    this.#timer = undefined
    const taken = <Row>(rows: Map<unknown, Row>) => {
      const all = [...rows.values()]
      rows.clear()
      return all
    }
    this.#send({
      ...this.#state(),
      requests: taken(this.#requests),
      calls: taken(this.#calls),
      runs: taken(this.#run),
    })
  }

  #send(changes: Changes): void {
    for (const send of this.#pages) send(changes)
  }

  /** Keys while there are any, since their ages change; savings while something happens. */
  async #look(): Promise<void> {
    const isQuiet = now() - this.#changedAt > LOOK_AFTER_MS
    if (this.#isLooking || (isQuiet && this.#looks++ % QUIET_LOOKS > 0)) return
    this.#isLooking = true
    try {
      if (this.#pages.size > 0 && !(isQuiet && this.#keys.length === 0)) {
        this.#keys = await this.#lab.keys.rows()
        this.#send({ now: now(), keys: this.#keys })
      }
      if (isQuiet) return
      const point = pointOf(await this.#lab.fleetStats())
      const last = this.#savings.at(-1)
      if (isDeepStrictEqual(point, { ...last, at: point.at })) return
      this.#savings.push(point)
      this.#savings.splice(0, this.#savings.length - POINTS)
      this.#send({ now: now(), savings: [point] })
    } catch {
      // Redis is stopped, or no worker is up: nothing can be read until it is back.
    } finally {
      this.#isLooking = false
    }
  }
}

/** The part of it that is shown. */
function shown(row: RequestRow): RequestRow {
  return {
    ...row,
    prompt: row.prompt.slice(0, SHOWN_CHARACTERS),
    text: row.text.slice(-SHOWN_CHARACTERS),
  }
}

function pointOf({ executed, collapsed, replayed, bypassed, saved }: FleetStats): SavingsPoint {
  const { tokens, dollars } = saved
  return { at: now(), executed, collapsed, replayed, bypassed, tokens, dollars }
}

function worldOf(lab: Lab): WorldRow {
  return {
    ...lab.shown,
    models: MODELS,
    scenarios: scenarios.map((scenario) => {
      const { name, kind, button, what, expect } = scenario
      const missing = unmet(scenario, lab)
      return { name, kind, button, what, expect, ...(missing !== undefined && { unmet: missing }) }
    }),
  }
}
