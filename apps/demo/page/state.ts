import { computed, signal } from '@preact/signals'
import {
  type CallRow,
  type Changes,
  KEPT,
  type KeyRow,
  type RequestRow,
  type RunRow,
  type SavingsPoint,
  type WorkerRow,
  type WorldRow,
} from '../src/shared/rows.js'

/** Shown where there is no server: what to do. */
export const GONE =
  'The server is gone. Start it again with npm start; this page connects by itself if PORT is the same.'

/** The server keeps as many. */
const POINTS = 600

export const world = signal<WorldRow | undefined>(undefined)
export const requests = signal<ReadonlyMap<number, RequestRow>>(new Map())
export const calls = signal<ReadonlyMap<string, CallRow>>(new Map())
export const workers = signal<readonly WorkerRow[]>([])
export const keys = signal<readonly KeyRow[]>([])
export const savings = signal<readonly SavingsPoint[]>([])
export const runs = signal<ReadonlyMap<string, RunRow>>(new Map())
export const isRedisUp = signal(true)
export const connection = signal<'connecting' | 'open' | 'lost'>('connecting')
/** The last error, as a sentence. */
export const problem = signal<string | undefined>(undefined)

/** From the clock of this page to the server's, ms. */
let offset = 0

/** Now, by the server's clock. */
export function serverNow(): number {
  return performance.now() + offset
}

export const lastAnswered = computed(() =>
  [...requests.value.values()]
    .filter(({ endedAt }) => endedAt !== undefined)
    .reduce<RequestRow | undefined>(
      (last, row) => ((row.endedAt ?? 0) >= (last?.endedAt ?? 0) ? row : last),
      undefined,
    ),
)

/** Follows the server's events for as long as the page is open. When the server is gone it connects again. */
export function connect(): void {
  const source = new EventSource('events')
  source.addEventListener('message', ({ data }) => {
    // The error was that the server was gone.
    if (connection.value === 'lost') problem.value = undefined
    connection.value = 'open'
    apply(JSON.parse(data))
  })
  source.addEventListener('error', () => {
    connection.value = 'lost'
  })
}

function apply(changes: Changes): void {
  offset = changes.now - performance.now()
  // The first event after a connection has everything: what the page had is in it, or belongs to an earlier run.
  const isWhole = changes.world !== undefined
  if (isWhole) {
    requests.value = new Map()
    calls.value = new Map()
    runs.value = new Map()
    savings.value = []
    world.value = changes.world
  }
  if (changes.requests?.length) requests.value = merged(requests.value, changes.requests, ({ id }) => id)
  if (changes.calls?.length) calls.value = merged(calls.value, changes.calls, ({ id }) => id)
  if (changes.runs?.length) runs.value = merged(runs.value, changes.runs, ({ name }) => name)
  if (changes.savings?.length) savings.value = [...savings.value, ...changes.savings].slice(-POINTS)
  if (changes.workers) workers.value = changes.workers
  if (changes.keys) keys.value = changes.keys
  if (changes.isRedisUp !== undefined) isRedisUp.value = changes.isRedisUp
}

function merged<Id, Row>(
  rows: ReadonlyMap<Id, Row>,
  more: readonly Row[],
  idOf: (row: Row) => Id,
): Map<Id, Row> {
  const all = new Map(rows)
  for (const row of more) all.set(idOf(row), row)
  return new Map([...all].slice(-KEPT))
}

/** Asks the server to do something. Its effects come as events; if it is refused, the reason is shown. */
export async function post(path: string, body: object): Promise<void> {
  problem.value = undefined
  try {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) problem.value = ((await response.json()) as { error: string }).error
  } catch {
    problem.value = GONE
  }
}
