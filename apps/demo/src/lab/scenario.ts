import type { RequestRow, ScenarioRow } from '../shared/rows.js'
import type { Lab } from './lab.js'

/** How a scenario reports what it sees, as it sees it. */
export interface Notebook {
  /** A condition of the scenario: it holds only if all of its conditions do. */
  check(held: boolean, text: string): void
  /** A figure that decides nothing. */
  note(text: string): void
  /** The requests until now were a warm-up, and are not shown. */
  begin(): void
  /** Waits until somebody at the page asks for the next step; without a page, not at all. */
  step(label: string): Promise<void>
}

/** A scenario: duplicates are shared, or something fails. */
export interface Scenario extends Omit<ScenarioRow, 'unmet'> {
  /**
   * `processes`: needs several of them, sharing over Redis. `model`: needs the bundled model, which follows a script.
   */
  readonly needs?: readonly ('processes' | 'model')[]
  run(lab: Lab, notebook: Notebook): Promise<void>
}

/** How many requests have no answer, and how many different answers the others have. */
function compared(answers: readonly RequestRow[]) {
  return {
    failed: answers.filter(({ error }) => error !== undefined).length,
    different: new Set(answers.map(({ answerId, text }) => `${answerId} ${text}`)).size,
  }
}

/** `3 answers, all identical`. */
export function sameness(answers: readonly RequestRow[]): string {
  const { failed, different } = compared(answers)
  if (failed > 0) return `${failed} of ${answers.length} failed`
  return `${answers.length} answers, ${different === 1 ? 'all identical' : `${different} different ones`}`
}

/** Whether all of them have an answer, and the same one. */
export function areSame(answers: readonly RequestRow[]): boolean {
  const { failed, different } = compared(answers)
  return failed === 0 && different === 1
}

/** `1 upstream call`, `4 upstream calls`. */
export function upstream(calls: number): string {
  return `${calls} upstream call${calls === 1 ? '' : 's'}`
}

/** Why a scenario cannot run here; undefined if it can. */
export function unmet({ needs = [] }: Scenario, { redis, model }: Lab): string | undefined {
  if (needs.includes('processes') && !redis)
    return 'several processes share over Redis: install redis-server 7, or set REDIS_URL'
  if (needs.includes('model') && !model) return 'it tells the model what to do: unset ANTHROPIC_API_KEY'
  return undefined
}
