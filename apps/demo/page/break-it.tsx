import type { ScenarioRow } from '../src/rows.js'
import { post, runs, world } from './state.js'

export function BreakIt() {
  const scenarios = world.value?.scenarios ?? []
  return (
    <>
      <Scenarios id="break" title="Break it" scenarios={scenarios.filter(({ kind }) => kind === 'break')} />
      <Scenarios
        id="share"
        title="Watch it share"
        scenarios={scenarios.filter(({ kind }) => kind === 'share')}
      />
    </>
  )
}

function Scenarios({
  id,
  title,
  scenarios,
}: {
  id: string
  title: string
  scenarios: readonly ScenarioRow[]
}) {
  return (
    <section class={`card scenarios ${id}`} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <ul>
        {scenarios.map((scenario) => (
          <Scenario key={scenario.name} scenario={scenario} />
        ))}
      </ul>
    </section>
  )
}

function Scenario({ scenario: { name, button, what, expect, unmet } }: { scenario: ScenarioRow }) {
  const run = runs.value.get(name)
  const isBusy = [...runs.value.values()].some(({ state }) => state === 'running')
  return (
    <li data-scenario={name}>
      <div class="start">
        <button
          type="button"
          disabled={isBusy || unmet !== undefined}
          title={what}
          onClick={() => post('runs', { name })}
        >
          {button}
        </button>
        {run?.step && (
          <button type="button" class="primary" onClick={() => post('runs/step', {})}>
            {run.step}
          </button>
        )}
        {run && <Verdict state={run.state} />}
      </div>
      <p class="hint">{unmet === undefined ? expect : `Not here: ${unmet}.`}</p>
      {run && (
        <ul class="lines" aria-live="polite">
          {run.lines.map(({ held, text }, index) => (
            <li key={index} class={held === undefined ? 'dim' : ''}>
              {held !== undefined && <Mark held={held} />} {text}
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}

function Verdict({ state }: { state: 'running' | 'held' | 'failed' }) {
  if (state === 'running')
    return (
      <span class="verdict">
        <progress aria-label="running" /> running
      </span>
    )
  return (
    <b class={`verdict ${state === 'held' ? 'free' : 'failed'}`}>
      {state === 'held' ? '✔ held' : '✘ did not hold'}
    </b>
  )
}

function Mark({ held }: { held: boolean }) {
  return <b class={held ? 'free' : 'failed'}>{held ? '✔' : '✘'}</b>
}
