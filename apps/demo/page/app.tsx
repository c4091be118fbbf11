import { BreakIt } from './break-it.js'
import { Generate } from './generate.js'
import { Inspect } from './inspect.js'
import { Savings } from './savings.js'
import { connection, GONE, isRedisUp, problem, runs, workers, world } from './state.js'
import { THEMES, type Theme, theme } from './theme.js'
import { Timeline } from './timeline.js'
import { YourNumbers } from './your-numbers.js'

export function App() {
  if (!world.value)
    return (
      <main class="loading">
        <p role="status">{connection.value === 'lost' ? GONE : 'Connecting …'}</p>
      </main>
    )
  return (
    <>
      <Top />
      <Problem />
      <main>
        <div class="column">
          <Generate />
          <BreakIt />
        </div>
        <div class="column">
          <Timeline />
          <Savings />
          <YourNumbers />
          <Inspect />
        </div>
      </main>
      <footer>
        <a href="metrics/idempotency">/metrics/idempotency</a> <a href="metrics">/metrics</a>{' '}
        <a href="healthz">/healthz</a>
      </footer>
    </>
  )
}

function Top() {
  const { store, model } = world.value ?? {}
  const step = [...runs.value.values()].find((run) => run.step !== undefined)?.step
  const outage = `Redis is stopped${step === undefined ? '' : `: press ${step}`}`
  return (
    <header class="top">
      <h1>
        idem <small>duplicate AI calls cost one call</small>
      </h1>
      <ul class={`facts ${connection.value}`}>
        <li>
          <span class="dim">workers</span>{' '}
          {workers.value.map(({ number, state, pid }) => (
            <span
              key={number}
              class={`worker ${state}`}
              title={pid === undefined ? state : `${state}, process ${pid}`}
            >
              w{number}
              {state !== 'up' && ` ${state}`}
            </span>
          ))}
        </li>
        <li>
          <span class="dim">store</span> {isRedisUp.value ? store : <b class="failed">{outage}</b>}
        </li>
        <li>
          <span class="dim">model</span> {model}
        </li>
      </ul>
      <label class="theme">
        Theme
        <select
          value={theme.value}
          onChange={({ currentTarget }) => {
            theme.value = currentTarget.value as Theme
          }}
        >
          {THEMES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
    </header>
  )
}

function Problem() {
  const text = connection.value === 'lost' ? GONE : problem.value
  if (text === undefined) return null
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  )
}
