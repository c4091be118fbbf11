import { useRef } from 'preact/hooks'
import type { RunRow, ScenarioRow } from '../src/shared/rows.js'
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

function Scenario({ scenario: { name, button: label, what, expect, unmet } }: { scenario: ScenarioRow }) {
  const button = useRef<HTMLButtonElement>(null)
  const run = runs.value.get(name)
  const isBusy = [...runs.value.values()].some(({ state }) => state === 'running')
  return (
    <li data-scenario={name}>
      <div class="start">
        {/* Busy, and not disabled: a button that becomes disabled loses the keyboard focus. */}
        <button
          ref={button}
          type="button"
          disabled={unmet !== undefined}
          aria-disabled={isBusy}
          title={isBusy ? 'One at a time, and one is running.' : what}
          onClick={() => isBusy || post('runs', { name })}
        >
          {label}
        </button>
        {run?.step && (
          <button
            type="button"
            class="primary"
            onClick={() => {
              button.current?.focus()
              void post('runs/step', {})
            }}
          >
            {run.step}
          </button>
        )}
        <span class="verdict" role="status">
          {run && <Verdict run={run} />}
        </span>
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

function Verdict({ run: { state, step } }: { run: RunRow }) {
  if (step !== undefined) return <>waits for you</>
  if (state === 'running')
    return (
      <>
        <progress aria-label="running" /> running
      </>
    )
  return <b class={state === 'held' ? 'free' : 'failed'}>{state === 'held' ? '✔ held' : '✘ did not hold'}</b>
}

function Mark({ held }: { held: boolean }) {
  return <b class={held ? 'free' : 'failed'}>{held ? '✔' : '✘'}</b>
}
