import { signal, useSignalEffect } from '@preact/signals'
import type { CallRow, Outcome, RequestRow } from '../src/shared/rows.js'
import { duration, plural } from './format.js'
import { calls, connection, requests, runs, serverNow } from './state.js'
import { type TimeScale, timeScale } from './time-scale.js'

/** As many colours as can be told apart. */
const LANES = 26
/** Requests that ended so long before the latest one began are not shown with it, ms. */
const STORY_MS = 30_000
/** How much of a text is shown: its end, which grows. */
const TAIL = 90
/** A follower that joined within this many characters counts as there from the start. */
const BACKLOG = 25

const PAID: Record<Outcome, string> = {
  executed: 'made the call',
  collapsed: 'shared a running call',
  replayed: 'given the stored answer',
  bypassed: 'a call of its own',
}

const tick = signal(0)

export function Timeline() {
  // Bars of running requests grow with the time.
  useSignalEffect(() => {
    const isRunning = [...requests.value.values(), ...calls.value.values()].some(
      ({ endedAt }) => endedAt === undefined,
    )
    tick.value
    if (!isRunning || connection.value === 'lost') return
    const frame = setTimeout(() => {
      tick.value++
    }, 50)
    return () => clearTimeout(frame)
  })
  tick.value
  const now = serverNow()
  const story = storyOf([...requests.value.values()], now)
  const ids = new Set(story.map(({ id }) => id))
  const made = [...calls.value.values()].filter(({ request }) => ids.has(request))
  const lanes = lanesOf(story, made)
  const bars = made.slice(-LANES)
  const scale = timeScale(
    [...lanes, ...bars].map(({ startedAt, endedAt = now }) => ({ from: startedAt, to: endedAt })),
  )
  return (
    <section class="card timeline" aria-labelledby="timeline">
      <header>
        <h2 id="timeline">Timeline</h2>
        <Legend />
      </header>
      <p class="story" role="status">
        {story.length === 0 ? (
          <>
            Nothing yet. Press <b>× 20 at once</b>: twenty requests, one call to the model.
          </>
        ) : (
          <Story requests={story} calls={made} />
        )}
      </p>
      {lanes.length > 0 && (
        <div class="chart">
          <Cuts scale={scale} />
          <h3>
            Requests
            <Part shown={lanes.length} of={story.length} />
          </h3>
          <ol class="lanes">
            {lanes.map((row) => (
              <Lane key={row.id} row={row} scale={scale} now={now} />
            ))}
          </ol>
          <h3>
            Calls to the model
            <Part shown={bars.length} of={made.length} />
          </h3>
          <ol class="lanes calls">
            {bars.map((call) => (
              <Call key={call.id} call={call} scale={scale} now={now} />
            ))}
            {made.length === 0 && <li class="none">none: every answer was there</li>}
          </ol>
        </div>
      )}
    </section>
  )
}

function Part({ shown, of }: { shown: number; of: number }) {
  if (shown === of) return null
  return (
    <span class="dim">
      {' '}
      ({shown} of {of})
    </span>
  )
}

function Story({ requests, calls }: { requests: readonly RequestRow[]; calls: readonly CallRow[] }) {
  const answered = requests.filter(({ endedAt, error }) => endedAt !== undefined && error === undefined)
  const free = answered.filter(({ outcome }) => outcome === 'collapsed' || outcome === 'replayed').length
  return (
    <>
      <b>{plural(requests.length, 'request')}</b>,{' '}
      <b class="paid">{plural(calls.length, 'call')} to the model</b>
      {free > 0 && (
        <>
          , <b class="free">{plural(free, 'answer')} for free</b>
        </>
      )}
    </>
  )
}

function Legend() {
  return (
    <ul class="legend">
      {Object.entries(PAID).map(([outcome, meaning]) => (
        <li key={outcome}>
          <i class={`swatch ${outcome}`} /> <b>{outcome}</b> <span class="dim">{meaning}</span>
        </li>
      ))}
    </ul>
  )
}

function Cuts({ scale }: { scale: TimeScale }) {
  return (
    <div class="cuts" aria-hidden="true">
      {scale.cuts.map(({ at, ms }) => (
        <span key={at} style={{ left: `${at * 100}%` }}>
          {duration(ms)}
        </span>
      ))}
    </div>
  )
}

function Lane({ row, scale, now }: { row: RequestRow; scale: TimeScale; now: number }) {
  const {
    id,
    worker,
    prompt,
    stream,
    startedAt,
    begunAt,
    endedAt,
    outcome,
    error,
    text,
    backlog = 0,
    attempts,
    isPlain = false,
  } = row
  const kind = error !== undefined ? 'failed' : (outcome ?? 'waiting')
  const facts = [
    kind,
    duration((endedAt ?? now) - startedAt),
    ...(isPlain ? ['without idem'] : []),
    ...(backlog >= BACKLOG && text.length > 0 ? [`${backlog} chars at once`] : []),
    ...(attempts > 1 ? [`${attempts} tries`] : []),
  ]
  return (
    <li data-outcome={kind} data-request={id} title={prompt}>
      <span class="who">
        #{id} <span class="dim">w{worker}</span>
      </span>
      <Bar
        kind={kind}
        from={scale.at(startedAt)}
        begun={scale.at(stream ? (begunAt ?? endedAt ?? now) : startedAt)}
        to={scale.at(endedAt ?? now)}
        isOpen={endedAt === undefined}
      />
      <p class="what">
        <b class={kind}>{facts.join(' · ')}</b>{' '}
        <span class="text">
          <bdi>{error ?? tailOf(text)}</bdi>
        </span>
      </p>
    </li>
  )
}

function Call({ call, scale, now }: { call: CallRow; scale: TimeScale; now: number }) {
  const { worker, request, startedAt, endedAt, status, end } = call
  const how = end === 'lost' ? 'lost with its process' : end === 'broken' ? 'broken off' : undefined
  const facts = [status, how, duration((endedAt ?? now) - startedAt)].filter((fact) => fact !== undefined)
  const kind = end === 'lost' || end === 'broken' || (status ?? 200) >= 400 ? 'failed' : 'upstream'
  return (
    <li>
      <span class="who">
        w{worker} <span class="dim">#{request}</span>
      </span>
      <Bar
        kind={kind}
        from={scale.at(startedAt)}
        begun={scale.at(startedAt)}
        to={scale.at(endedAt ?? now)}
        isOpen={endedAt === undefined}
      />
      <p class="what">
        <b class={kind}>{facts.join(' · ')}</b>
      </p>
    </li>
  )
}

interface BarProps {
  readonly kind: string
  /** Places on the scale. `begun`: where waiting ends and the answer begins. */
  readonly from: number
  readonly begun: number
  readonly to: number
  readonly isOpen: boolean
}

function Bar({ kind, from, begun, to, isOpen }: BarProps) {
  const place = (start: number, end: number) => ({
    left: `min(${start * 100}%, 100% - 5px)`,
    width: `max(5px, ${(end - start) * 100}%)`,
  })
  const isAnswering = begun < to || !isOpen
  return (
    <div class="track" aria-hidden="true">
      <i class={`bar ${kind} wait`} style={place(from, to)} />
      {isAnswering && (
        <i class={`bar ${kind}${isOpen ? ' open' : ''}`} style={place(Math.min(begun, to), to)} />
      )}
    </div>
  )
}

/** The requests to show: those of the running scenario, or those since the last one. */
function storyOf(rows: readonly RequestRow[], now: number): readonly RequestRow[] {
  const latest = rows.at(-1)
  if (!latest) return []
  const begins = [...runs.value.values()]
    .flatMap(({ startedAt, endedAt }) => [startedAt, endedAt ?? startedAt])
    .filter((at) => at <= latest.startedAt)
  const since = Math.max(...begins, 0)
  return rows.filter(
    ({ startedAt, endedAt = now }) => startedAt >= since && endedAt > latest.startedAt - STORY_MS,
  )
}

/** Those that made a call, and the latest of the others. */
function lanesOf(story: readonly RequestRow[], made: readonly CallRow[]): readonly RequestRow[] {
  if (story.length <= LANES) return story
  const callers = new Set(made.map(({ request }) => request))
  const paid = story.filter(({ id }) => callers.has(id)).slice(-LANES / 2)
  const others = story.filter((row) => !paid.includes(row)).slice(paid.length - LANES)
  return [...paid, ...others].sort((a, b) => a.id - b.id)
}

function tailOf(text: string): string {
  return text.length <= TAIL ? text : `…${text.slice(-TAIL)}`
}
