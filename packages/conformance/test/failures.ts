import { type ConformanceTest, type RunOptions, runConformance } from '../src/index.js'
import type { Broken } from './broken/broken.js'

/** So many stores are tested at once that they wait together, and so few that their clocks still tell something. */
const AT_ONCE = 8
const waiting: (() => void)[] = []
let running = 0

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  while (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  running++
  try {
    return await work()
  } finally {
    running--
    waiting.shift()?.()
  }
}

/** Moves so many bytes that it holds up the clocks of the tests beside it: after them, and only where it matters. */
const isHeavy = ({ name }: ConformanceTest) => name === 'eight MiB come back'

/**
 * The names of the tests that a store fails, sorted. Those it fails or passes against expectation are run again, two
 * times at most and nearly alone: on a machine that stood still, what lapses says little.
 */
export function failuresOf(broken: Broken, { heavyToo = false } = {}): Promise<string[]> {
  return inTurn(async () => {
    const { alone } = broken
    const isMeant = (test: ConformanceTest) => alone === undefined || test.area === alone
    const failures = new Set<string>()
    const look = (only: (test: ConformanceTest) => boolean, concurrency: number) =>
      update(failures, broken, { only: (test) => isMeant(test) && only(test), concurrency })

    const first = await look((test) => !isHeavy(test), alone ? 1 : 200)
    const all = heavyToo ? [...first, ...(await look(isHeavy, 1))] : first
    for (const _again of [1, 2]) {
      const doubtful = all.filter((name) => !isExpected(broken, name, failures.has(name)))
      if (doubtful.length > 0) await look(({ name }) => doubtful.includes(name), alone ? 1 : 4)
    }
    return [...failures].sort()
  })
}

function isExpected({ fails, alsoFails, mayFail = {} }: Broken, name: string, failed: boolean): boolean {
  return name in mayFail || failed === (name === fails || name in alsoFails)
}

/** Runs tests and notes which fail. @returns the names of those that ran */
async function update(
  failures: Set<string>,
  { open, means }: Broken,
  options: RunOptions,
): Promise<string[]> {
  const { disrupt, ...rest } = means ?? {}
  const handle = () => {
    const store = open()
    return { store, ...(disrupt && { disrupt: () => disrupt(store) }) }
  }
  const verdicts = await runConformance(handle, { ...rest, ...options })
  for (const { name, outcome } of verdicts) {
    if (outcome === 'failed') failures.add(name)
    else failures.delete(name)
  }
  return verdicts.map(({ name }) => name)
}
