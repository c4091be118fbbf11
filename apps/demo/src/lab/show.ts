import colors from 'picocolors'
import type { Lab } from './lab.js'
import { type Notebook, type Scenario, unmet } from './scenario.js'

/** How many scenarios did what. */
export interface Tally {
  held: number
  failed: number
  notRun: number
}

const say = (line = '') => process.stdout.write(`${line}\n`)

/** Runs the scenarios one after another and says what was seen, as it is seen. */
export async function showScenarios(scenarios: readonly Scenario[], lab: Lab): Promise<Tally> {
  const tally: Tally = { held: 0, failed: 0, notRun: 0 }
  for (const scenario of scenarios) {
    say(`${colors.bold(scenario.name)}: ${scenario.what}`)
    const missing = unmet(scenario, lab)
    if (missing) {
      say(colors.yellow(`  not run: ${missing}`))
      tally.notRun++
    } else if (await held(scenario, lab)) tally.held++
    else tally.failed++
    say()
  }
  return tally
}

/** The last lines: what was saved, and how many scenarios held. */
export async function showTally({ held, failed, notRun }: Tally, lab: Lab): Promise<void> {
  const { saved } = await lab.fleetStats()
  say(`${colors.bold('saved')}: ${saved.calls} upstream calls, ${saved.tokens} tokens`)
  say(`${held} scenarios held, ${failed} failed, ${notRun} not run`)
}

async function held(scenario: Scenario, lab: Lab): Promise<boolean> {
  let all = true
  const check: Notebook['check'] = (one, text) => {
    all &&= one
    say(`  ${one ? colors.green('✔') : colors.red('✘')} ${text}`)
  }
  const note = (text: string) => say(colors.dim(`    ${text}`))
  try {
    await scenario.run(lab, { check, note, begin: () => {}, step: async () => {} })
  } catch (error) {
    check(false, `it broke off: ${error instanceof Error ? error.message : error}`)
  }
  return all
}
