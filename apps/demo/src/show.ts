import colors from 'picocolors'
import { type Notebook, type Scenario, unmet, type World } from './scenario.js'

export interface Tally {
  held: number
  failed: number
  notRun: number
  calls: number
  tokens: number
}

const say = (line = '') => process.stdout.write(`${line}\n`)

/** Runs the scenarios one after another and says what was seen, as it is seen. */
export async function showScenarios(scenarios: readonly Scenario[], world: World): Promise<Tally> {
  const tally: Tally = { held: 0, failed: 0, notRun: 0, calls: 0, tokens: 0 }
  for (const scenario of scenarios) {
    say(`${colors.bold(scenario.name)}: ${scenario.what}`)
    const missing = unmet(scenario, world)
    if (missing) {
      say(colors.yellow(`  not run: ${missing}`))
      tally.notRun++
    } else if (await held(scenario, world, tally)) tally.held++
    else tally.failed++
    say()
  }
  return tally
}

/** The last lines: what was saved, and how many scenarios held. */
export function showTally({ held, failed, notRun, calls, tokens }: Tally): void {
  say(`${colors.bold('saved')}: ${calls} upstream calls, ${tokens} tokens`)
  say(`${held} scenarios held, ${failed} failed, ${notRun} not run`)
}

async function held(scenario: Scenario, world: World, tally: Tally): Promise<boolean> {
  let all = true
  const check: Notebook['check'] = (one, text) => {
    all &&= one
    say(`  ${one ? colors.green('✔') : colors.red('✘')} ${text}`)
  }
  const note = (text: string) => say(colors.dim(`    ${text}`))
  const count: Notebook['count'] = ({ saved }, before) => {
    tally.calls += saved.calls - (before?.saved.calls ?? 0)
    tally.tokens += saved.tokens - (before?.saved.tokens ?? 0)
  }
  try {
    await scenario.run(world, { check, note, count })
  } catch (error) {
    check(false, `it broke off: ${error instanceof Error ? error.message : error}`)
  }
  return all
}
