import { now } from '../shared/clock.js'
import type { RunRow } from '../shared/rows.js'
import type { Lab } from './lab.js'
import { type Notebook, unmet } from './scenario.js'
import { scenarios } from './scenarios/index.js'

/** Why a scenario cannot be started, or moved on, now. */
export class RunError extends Error {}

/** Its state, as a page shows it. */
function labelOf({ name }: RunRow): string {
  return scenarios.find((one) => one.name === name)?.button ?? name
}

/** The scenarios that were started, one at a time, and what each has seen so far. */
export class Runs {
  readonly #lab: Lab
  readonly #changed: (row: RunRow) => void
  readonly #rows = new Map<string, RunRow>()
  #goOn: (() => void) | undefined

  constructor(lab: Lab, changed: (row: RunRow) => void) {
    this.#lab = lab
    this.#changed = changed
  }

  get rows(): readonly RunRow[] {
    return [...this.#rows.values()]
  }

  /**
   * Starting the one that runs already changes nothing: a double click means one.
   * @throws RunError
   */
  start(name: string): void {
    const scenario = scenarios.find((one) => one.name === name)
    if (!scenario)
      throw new RunError(
        `There is no scenario '${name}'. Known: ${scenarios.map((one) => one.name).join(', ')}.`,
      )
    const running = this.#running
    if (running?.name === name) return
    if (running) throw new RunError(`'${labelOf(running)}' is running. Start this one when it is over.`)
    const missing = unmet(scenario, this.#lab)
    if (missing) throw new RunError(`'${name}' cannot run here: ${missing}.`)

    this.#put({ name, state: 'running', startedAt: now(), lines: [] })
    const write = (text: string, held?: boolean) => {
      const row = this.#row(name)
      this.#put({ ...row, lines: [...row.lines, { text, ...(held !== undefined && { held }) }] })
    }
    const notebook: Notebook = {
      check: (held, text) => write(text, held),
      note: write,
      begin: () => this.#put({ ...this.#row(name), startedAt: now() }),
      step: (label) => this.#step(name, label),
    }
    scenario
      .run(this.#lab, notebook)
      .catch((error: Error) => write(`it broke off: ${error.message}`, false))
      .then(() => {
        const row = this.#row(name)
        const state = row.lines.some(({ held }) => held === false) ? 'failed' : 'held'
        this.#put({ ...row, state, endedAt: now() })
      })
  }

  /**
   * Lets the scenario that waits go on; it may have gone on already.
   * @throws RunError
   */
  step(): void {
    const goOn = this.#goOn
    if (!this.#running) throw new RunError('Nothing waits to go on: start a scenario first.')
    this.#goOn = undefined
    goOn?.()
  }

  get #running(): RunRow | undefined {
    return this.rows.find(({ state }) => state === 'running')
  }

  async #step(name: string, label: string): Promise<void> {
    this.#put({ ...this.#row(name), step: label })
    await new Promise<void>((resolve) => {
      this.#goOn = () => {
        const { step, ...row } = this.#row(name)
        this.#put(row)
        resolve()
      }
    })
  }

  #row(name: string): RunRow {
    const row = this.#rows.get(name)
    if (!row) throw new RunError(`'${name}' was not started.`)
    return row
  }

  #put(row: RunRow): void {
    this.#rows.set(row.name, row)
    this.#changed(row)
  }
}
