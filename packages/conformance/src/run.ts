import { conformanceTests } from './areas/index.js'
import { type Area, type ConformanceTest, type Open, runTest, type StoreUnderTest } from './kit.js'

/** What the kit asks of a test runner; vitest's and node:test's `{ describe, test }` are both one. */
export interface Runner {
  describe(name: string, body: () => void): unknown
  /** The kit passes a time limit too, for runners that take one. */
  test(
    name: string,
    body: (test: { skip(reason?: string): unknown }) => Promise<void>,
    timeoutMs?: number,
  ): unknown
}

/** Far more than any test takes on a store that answers: one takes seconds where it starts processes. */
const TIMEOUT_MS = 20_000

export interface ConformanceOptions extends StoreUnderTest {
  /** What the tests are listed under, e.g. `ioredisStore on Redis 7.4`. */
  readonly name: string
  readonly runner: Runner
  /**
   * Which tests are registered.
   * @default all of them; a store is right only if it passes all
   */
  readonly only?: (test: ConformanceTest) => boolean
}

/** Registers every test of the kit with a test runner, one `describe` an area. */
export function storeConformance({ name, runner, only = () => true, ...under }: ConformanceOptions): void {
  const registered = conformanceTests.filter(only)
  runner.describe(name, () => {
    for (const area of new Set(registered.map((test) => test.area))) {
      runner.describe(area, () => {
        for (const test of registered.filter((candidate) => candidate.area === area)) {
          const body: Parameters<Runner['test']>[1] = async (handle) => {
            const skipped = await runTest(test, under)
            if (skipped !== undefined) handle.skip(skipped)
          }
          runner.test(test.name, body, TIMEOUT_MS)
        }
      })
    }
  })
}

/** How one test of the kit ended. */
export type Verdict = { readonly area: Area; readonly name: string } & (
  | { readonly outcome: 'passed' }
  | { readonly outcome: 'failed'; readonly error: unknown }
  | { readonly outcome: 'skipped'; readonly reason: string }
)

export interface RunOptions extends Omit<StoreUnderTest, 'open'> {
  /**
   * How many tests run at once.
   * @default 16: most of a test is waiting for something to lapse
   */
  readonly concurrency?: number
  /**
   * Which tests run.
   * @default all of them; a store is right only if it passes all
   */
  readonly only?: (test: ConformanceTest) => boolean
  /**
   * After how long a test that does not end has failed.
   * @default 20 s, far more than any test takes on a store that answers
   */
  readonly timeoutMs?: number
}

/** Runs the tests of the kit without a test runner. Never rejects; the verdicts are in the order of the kit. */
export async function runConformance(open: Open, options: RunOptions = {}): Promise<Verdict[]> {
  const { concurrency = 16, only = () => true, timeoutMs = TIMEOUT_MS, openAlone, fork } = options
  const under: StoreUnderTest = { open, openAlone, fork }
  const verdicts: Verdict[] = []
  const rest = conformanceTests.filter(only).entries()
  const worker = async () => {
    for (const [index, test] of rest) {
      const { area, name } = test
      try {
        const reason = await within(timeoutMs, runTest(test, under))
        verdicts[index] =
          reason === undefined
            ? { area, name, outcome: 'passed' }
            : { area, name, outcome: 'skipped', reason }
      } catch (error) {
        verdicts[index] = { area, name, outcome: 'failed', error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, worker))
  return verdicts
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The test did not end within ${ms} ms.`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
