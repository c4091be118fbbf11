import { useSignal, useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { SavingsPoint } from '../src/shared/rows.js'
import { count, dollars, plural, share, timeOfDay } from './format.js'
import { connection, savings, serverNow } from './state.js'
import { isDark } from './theme.js'

export function Savings() {
  const last = savings.value.at(-1)
  const { hits, made, requests } = sumsOf(last)
  return (
    <section class="card savings" aria-labelledby="savings">
      <h2 id="savings">Savings</h2>
      <dl class="figures">
        <Figure name="Hit rate" value={share(requests === 0 ? 0 : hits / requests)} />
        <Figure name="Requests" value={count(requests)} />
        <Figure name="Calls made" value={count(made)} kind="paid" />
        <Figure name="Collapsed" value={count(last?.collapsed ?? 0)} />
        <Figure name="Replayed" value={count(last?.replayed ?? 0)} />
        <Figure name="Tokens saved" value={count(last?.tokens ?? 0)} kind="free" />
        <Figure name="Dollars saved" value={dollars(last?.dollars ?? 0)} kind="free" />
      </dl>
      <Chart />
    </section>
  )
}

function sumsOf(point?: SavingsPoint) {
  const { executed = 0, bypassed = 0, collapsed = 0, replayed = 0 } = point ?? {}
  const [made, hits] = [executed + bypassed, collapsed + replayed]
  return { made, hits, requests: made + hits }
}

function Figure({ name, value, kind = '' }: { name: string; value: string; kind?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={kind}>{value}</dd>
    </div>
  )
}

/** Requests and calls over time: the space between the two lines was saved. */
function Chart() {
  const place = useRef<HTMLDivElement>(null)
  const width = useSignal(0)
  useSignalEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      width.value = Math.floor(entry?.contentRect.width ?? 0)
    })
    if (place.current) observer.observe(place.current)
    return () => observer.disconnect()
  })
  const plot = useSignal<uPlot | undefined>(undefined)
  useSignalEffect(() => {
    isDark.value // The colours are part of the drawing: draw again when the theme changes.
    if (!place.current || width.value === 0) return
    const drawn = new uPlot(optionsFor(place.current, width.value), undefined, place.current)
    plot.value = drawn
    return () => drawn.destroy()
  })
  // Time goes on while nothing happens.
  const seconds = useSignal(0)
  useSignalEffect(() => {
    if (connection.value === 'lost') return
    const timer = setInterval(() => seconds.value++, 1_000)
    return () => clearInterval(timer)
  })
  useSignalEffect(() => {
    seconds.value
    plot.value?.setData(dataOf(savings.value))
  })
  const { requests, made } = sumsOf(savings.value.at(-1))
  const summary = `${plural(requests, 'request')}, ${plural(made, 'call')} made`
  return <div ref={place} class="plot" role="img" aria-label={`Requests and calls over time: ${summary}`} />
}

/** A chart of a shorter time would need more digits on its axis than it has to tell. */
const SHORTEST_S = 10

function optionsFor(place: HTMLElement, width: number): uPlot.Options {
  // A variable still holds light-dark() as text; only a property in use has the colour of the theme.
  const used = (name: string) => {
    place.style.setProperty('outline-color', `var(${name})`)
    return getComputedStyle(place).outlineColor
  }
  const axis = { stroke: used('--dim'), grid: { stroke: used('--line'), width: 1 }, ticks: { show: false } }
  const paths = uPlot.paths.stepped?.({ align: 1 })
  const line = (label: string, name: string) => ({
    label,
    stroke: used(name),
    width: 2,
    points: { show: false },
    ...(paths && { paths }),
  })
  return {
    width,
    height: 190,
    legend: { live: false },
    cursor: { drag: { x: false, y: false } },
    scales: {
      x: { range: (_, min, max) => [min, Math.max(max, min + SHORTEST_S)] },
      y: { range: (_, __, max) => [0, Math.max(max * 1.1, 5)] },
      $: { range: (_, __, max) => [0, Math.max(max * 1.3, 0.0005)] },
    },
    axes: [
      { ...axis, space: 90, values: (_, ticks) => ticks.map(timeOfDay) },
      { ...axis, size: 44 },
      {
        ...axis,
        scale: '$',
        side: 1,
        size: 64,
        grid: { show: false },
        values: (_, ticks) => ticks.map(dollars),
      },
    ],
    series: [
      {},
      line('requests', '--collapsed'),
      line('calls made', '--executed'),
      { ...line('dollars saved', '--replayed'), scale: '$', dash: [5, 4] },
    ],
    bands: [{ series: [1, 2], fill: used('--saved') }],
  }
}

function dataOf(known: readonly SavingsPoint[]): uPlot.AlignedData {
  const at = serverNow()
  const skew = Date.now() - at
  // The last known values hold until now.
  const points = [...known, ...known.slice(-1).map((last) => ({ ...last, at }))]
  return [
    points.map(({ at }) => (at + skew) / 1_000),
    points.map((point) => sumsOf(point).requests),
    points.map((point) => sumsOf(point).made),
    points.map(({ dollars }) => dollars),
  ]
}
