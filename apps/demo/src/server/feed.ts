import { isDeepStrictEqual } from 'node:util'
import type { FleetStats } from '@idem/core'
import { now } from './clock.js'
import { type Lab, MODELS } from './lab.js'
import type { CallRow, Changes, KeyRow, RequestRow, RunRow, SavingsPoint, WorldRow } from './rows.js'
import { Runs } from './runs.js'
import { unmet } from './scenario.js'
import { scenarios } from './scenarios/index.js'

/** What changes within it is sent together, ms. */
const BATCH_MS = 50
/** How often the store is asked for keys and savings while something happens, ms. */
const LOOK_EVERY_MS = 500
/** So long after the last change it still looks: other processes write their numbers once a second. */
const LOOK_AFTER_MS = 3_000
/** While nothing happens it looks only each so many times. */
const QUIET_LOOKS = 10
/** How much of a prompt and of an answer's end a page is sent: more than it shows. */
const SHOWN_CHARACTERS = 120
/** How many points of the savings are kept, the latest. */
const POINTS = 600

/** What pages are sent: everything when they come, and after that what changes. */
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
  /** Its start counts: the first point is of when there was nothing yet. */
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
    // What it is given of the store may be old.
    this.lookSoon()
    this.#pages.add(send)
    return () => void this.#pages.delete(send)
  }

  /** Looks again at what the store has, soon. */
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

  /** Keys as long as there are some, since they grow older; savings while something happens. */
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
      // Redis is stopped, or no worker is up: there is nothing to look at until it is back.
    } finally {
      this.#isLooking = false
    }
  }
}

/** As much of it as is shown. */
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
