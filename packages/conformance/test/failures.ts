import { type ConformanceTest, runConformance } from '../src/index.js'
import type { Broken } from './broken/broken.js'

/** Moves so many bytes that it holds up the clocks of the tests beside it: one at a time. */
const isHeavy = ({ name }: ConformanceTest) => name === 'eight MiB come back'

let heavy: Promise<unknown> = Promise.resolve()

/** The names of the tests that a store fails, sorted. */
export async function failuresOf({ open }: Broken): Promise<string[]> {
  const handle = () => ({ store: open() })
  const light = await runConformance(handle, { only: (test) => !isHeavy(test) })
  const last = heavy.then(() => runConformance(handle, { only: isHeavy }))
  heavy = last
  return [...light, ...(await last)]
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ name }) => name)
    .sort()
}
