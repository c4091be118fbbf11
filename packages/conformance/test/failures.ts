import { type ConformanceTest, type RunOptions, runConformance } from '../src/index.js'
import type { Broken } from './broken/broken.js'

/** So many stores are tested at once that they wait together, and so few that their clocks still tell something. */
const AT_ONCE = 8
const waiting: { readonly places: number; readonly go: () => void }[] = []
let taken = 0

/** Waits for as many places, in the order of asking: with all of them it is alone in this process. */
async function inTurn<T>(places: number, work: () => Promise<T>): Promise<T> {
  await new Promise<void>((go) => {
    waiting.push({ places, go })
    letGo()
  })
  try {
    return await work()
  } finally {
    taken -= places
    letGo()
  }
}

function letGo(): void {
  for (let next = waiting[0]; next && taken + next.places <= AT_ONCE; next = waiting[0]) {
    waiting.shift()
    taken += next.places
    next.go()
  }
}

/** Moves so many bytes that it holds up the clocks of the tests beside it: after them, and only where it matters. */
const isHeavy = ({ name }: ConformanceTest) => name === 'eight MiB come back'

/**
 * The names of the tests that a store fails, sorted. Those it fails or passes against expectation are run again, two
 * times at most, the second time alone, and are shown: on a machine that stood still, what lapses says little.
 */
export async function failuresOf(broken: Broken, { heavyToo = false } = {}): Promise<string[]> {
  const { alone } = broken
  const isMeant = (test: ConformanceTest) => alone === undefined || test.area === alone
  const failures = new Set<string>()
  const look = (only: (test: ConformanceTest) => boolean, concurrency: number) =>
    update(failures, broken, { only: (test) => isMeant(test) && only(test), concurrency })

  const all = await inTurn(1, async () => {
    const first = await look((test) => !isHeavy(test), alone ? 1 : 200)
    return heavyToo ? [...first, ...(await look(isHeavy, 1))] : first
  })
  for (const places of [1, AT_ONCE]) {
    const doubtful = all.filter((name) => !isExpected(broken, name, failures.has(name)))
    if (doubtful.length === 0) break
    process.stdout.write(`    ${broken.breaks} Against expectation, run again: ${doubtful.join('; ')}.\n`)
    await inTurn(places, () => look(({ name }) => doubtful.includes(name), places > 1 || alone ? 1 : 4))
  }
  return [...failures].sort()
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
