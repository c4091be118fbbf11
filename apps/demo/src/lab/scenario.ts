import type { Lab } from './lab.js'
import type { RequestRow, ScenarioRow } from './rows.js'

/** Where a scenario says what it sees, as it sees it. */
export interface Notebook {
  /** Something that must hold for the scenario to hold. */
  check(held: boolean, text: string): void
  /** A figure that decides nothing. */
  note(text: string): void
  /** What was asked until now was to warm up, and is no part of what is to be seen. */
  begin(): void
  /** Waits until somebody wants to see what comes next; where nobody is there to say so, not at all. */
  step(label: string): Promise<void>
}

/** One way to see duplicates shared, or something fail. */
export interface Scenario extends Omit<ScenarioRow, 'unmet'> {
  /** `processes`: several of them, sharing over Redis. `model`: the bundled one, which does what it is told. */
  readonly needs?: readonly ('processes' | 'model')[]
  run(lab: Lab, notebook: Notebook): Promise<void>
}

/** How many of them have no answer, and how many different ones the others have. */
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
