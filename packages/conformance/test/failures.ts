import { type ConformanceTest, type RunOptions, runConformance, type Verdict } from '../src/index.js'
import type { Broken } from './broken/broken.js'

/** Moves so many bytes that it holds up the clocks of the tests beside it: one at a time. */
const isHeavy = ({ name }: ConformanceTest) => name === 'eight MiB come back'

let heavy: Promise<unknown> = Promise.resolve()

/** So many stores are tested at once that they wait together, and so few that their clocks still tell something. */
const AT_ONCE = 7
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

/** The names of the tests that a store fails, sorted. */
export async function failuresOf({ open, means, alone }: Broken): Promise<string[]> {
  const { disrupt, ...rest } = means ?? {}
  const handle = () => {
    const store = open()
    return { store, ...(disrupt && { disrupt: () => disrupt(store) }) }
  }
  const isMeant = ({ area }: ConformanceTest) => alone === undefined || area === alone
  const options: RunOptions = {
    ...rest,
    only: (test) => isMeant(test) && !isHeavy(test),
    concurrency: alone ? 1 : 40,
  }
  const light = await inTurn(() => runConformance(handle, options))
  if (alone) return namesOf(light)
  const last = heavy.then(() => runConformance(handle, { only: isHeavy }))
  heavy = last
  return namesOf([...light, ...(await last)])
}

function namesOf(verdicts: readonly Verdict[]): string[] {
  return verdicts
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ name }) => name)
    .sort()
}
