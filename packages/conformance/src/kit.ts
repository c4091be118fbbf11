import type { Store } from '@idem/core'

/** The areas of the contract, each a file in `areas/`. */
export type Area =
  | 'acquire'
  | 'ownership'
  | 'takeover'
  | 'complete'
  | 'endings'
  | 'expiry'
  | 'wake'
  | 'values'

/** What a store may lack. Read from the store itself: nobody declares it. */
export type Ability = 'watch'

/** One handle of a store, as one process has it. */
export interface OpenStore {
  readonly store: Store
  /** Called when the test that opened the handle is over. Close the store here, and the client made for it. */
  close?(): Promise<void>
}

/**
 * Opens one more handle of the store under test. All handles share the same locks and records, as processes do; a
 * store that lives in one process gives the same store each time. Keys are random, so nothing needs to be flushed
 * and tests may run at the same time.
 */
export type Open = () => OpenStore | Promise<OpenStore>

export interface TestContext {
  /** A handle of its own for this test, closed when the test is over. */
  open(): Promise<Store>
}

/** One guarantee; its name says which. */
export interface ConformanceTest {
  readonly area: Area
  readonly name: string
  /** Skipped, with the reason, for a store that lacks this. */
  readonly needs?: Ability
  /** Rejects if the store breaks the guarantee. */
  run(context: TestContext): Promise<void>
}

type Tests = Record<string, ConformanceTest['run']>

/** The tests of one area, in the order they are written. */
export function area(area: Area, tests: Tests, options: { needs?: Ability } = {}): ConformanceTest[] {
  return Object.entries(tests).map(([name, run]) => ({ area, name, run, ...options }))
}

/**
 * Runs one test against handles of its own and closes them, also when the test fails.
 *
 * @returns why the test was skipped; undefined if it ran and passed
 */
export async function runTest(test: ConformanceTest, open: Open): Promise<string | undefined> {
  const handles: OpenStore[] = []
  const context: TestContext = {
    async open() {
      const handle = await open()
      handles.push(handle)
      return handle.store
    },
  }
  try {
    if (test.needs && typeof (await context.open())[test.needs] !== 'function') {
      return `this store has no ${test.needs}()`
    }
    await test.run(context)
    return undefined
  } finally {
    await Promise.all(handles.map((handle) => handle.close?.()))
  }
}
