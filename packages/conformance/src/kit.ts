import type { Store } from '@idem/core/store'
import { type ForkModule, forkStore, type StoreProcess, shareProcess } from './process.js'

/** The areas of the contract, each a file in `areas/`. */
export type Area =
  | 'acquire'
  | 'ownership'
  | 'takeover'
  | 'complete'
  | 'fingerprint'
  | 'read'
  | 'replace'
  | 'void'
  | 'endings'
  | 'expiry'
  | 'wake'
  | 'live'
  | 'reports'
  | 'values'
  | 'keys'
  | 'close'
  | 'concurrency'
  | 'faults'

/** What a store may lack. It is read from the store itself; nobody declares it. */
export type Ability = 'watch' | 'append' | 'report'

/** What the author of a store may give the kit, beside `open`. */
export type Means = 'handles' | 'openAlone' | 'fork' | 'disrupt'

/** What a test needs. `no watch`: a test for stores that have no `watch`. */
export type Need = Ability | `no ${Ability}` | Means

/** One handle of a store: one process's connection to it. */
export interface OpenStore {
  readonly store: Store
  /** Called when the test that opened the handle is over. Close the store here, and the client made for it. */
  close?(): Promise<void>
  /**
   * Breaks every connection of the handle, as a failing network does; the client may connect again. Without it the
   * tests of reconnecting are skipped.
   */
  disrupt?(): Promise<void>
}

/**
 * Opens one more handle of the store under test. All handles share the same locks and records, as processes do; a
 * store that lives in one process gives the same store each time. Keys are random, so nothing needs to be flushed
 * and tests may run at the same time.
 */
export type Open = () => OpenStore | Promise<OpenStore>

/** The store under test, and how the kit opens it. */
export interface StoreUnderTest {
  readonly open: Open
  /**
   * Opens a store that may be closed because no other handle is the same.
   * @default `open`, where it gives a store of its own each time; else those tests are skipped
   */
  readonly openAlone?: Open
  /**
   * The module that opens a handle in a process of its own (see `serveStore`), asked for before each process.
   * @default none: the tests that need two processes are skipped, as for a store that lives in one
   */
  readonly fork?: () => ForkModule | Promise<ForkModule>
}

export interface TestContext {
  /** A handle of its own for this test, closed when the test is over. */
  open(): Promise<Store>
  /** As `open`, of a store that the test may close. */
  openAlone(): Promise<Store>
  /** Breaks the connections of a store that `open` gave. */
  disrupt(store: Store): Promise<void>
  /** A handle in another process, which tests that run at the same time share. */
  elsewhere(): Promise<Store>
  /** A handle in a process for this test alone, killed when it is over. `clockAheadMs`: how wrong its clock is. */
  fork(options?: { clockAheadMs?: number }): Promise<StoreProcess>
}

/** One guarantee; its name says which. */
export interface ConformanceTest {
  readonly area: Area
  readonly name: string
  /** Skipped, with the reason, where one of these is missing. */
  readonly needs: readonly Need[]
  /** Rejects if the store breaks the guarantee. */
  run(context: TestContext): Promise<void>
}

type Tests = Record<string, ConformanceTest['run']>

/** The tests of one area, in the order they are written. */
export function area(area: Area, tests: Tests, ...needs: Need[]): ConformanceTest[] {
  return Object.entries(tests).map(([name, run]) => ({ area, name, needs, run }))
}

/**
 * Runs one test against handles of its own and closes them, also when the test fails.
 *
 * @returns why the test was skipped; undefined if it ran and passed
 */
export async function runTest(test: ConformanceTest, under: StoreUnderTest): Promise<string | undefined> {
  const handles: OpenStore[] = []
  const processes: StoreProcess[] = []
  const shared: (() => void)[] = []
  const opened = async (open: Open) => {
    const handle = await open()
    handles.push(handle)
    return handle
  }
  const context: TestContext = {
    open: async () => (await opened(under.open)).store,
    openAlone: async () => (await opened(under.openAlone ?? under.open)).store,
    disrupt: async (store) => handles.find((handle) => handle.store === store)?.disrupt?.(),
    async elsewhere() {
      const { store, letGo } = await shareProcess(under.fork!)
      shared.push(letGo)
      return store
    },
    async fork({ clockAheadMs = 0 } = {}) {
      const forked = await forkStore(await under.fork!(), clockAheadMs)
      processes.push(forked)
      return forked
    },
  }
  try {
    for (const need of test.needs) {
      const missing = await lacks(need, under, () => opened(under.open))
      if (missing !== undefined) return missing
    }
    await test.run(context)
    return undefined
  } finally {
    for (const letGo of shared) letGo()
    await Promise.all([
      ...processes.map((forked) => forked.kill()),
      ...handles.map((handle) => handle.close?.()),
    ])
  }
}

/** Says what of a need is missing. */
async function lacks(
  need: Need,
  under: StoreUnderTest,
  open: () => Promise<OpenStore>,
): Promise<string | undefined> {
  if (need in MEANS) return MEANS[need as Means](under, open)
  const name = need.replace(/^no /, '') as Ability
  const has = typeof (await open()).store[name] === 'function'
  if (has === (need === name)) return undefined
  return has ? `this store has ${name}()` : `this store has no ${name}()`
}

type Missing = (under: StoreUnderTest, open: () => Promise<OpenStore>) => Promise<string | undefined>

/** `open` gives a store of its own each time. */
const handles: Missing = async (_under, open) => {
  const [one, other] = [await open(), await open()]
  return one.store === other.store ? 'every handle is the same store' : undefined
}

const MEANS = {
  handles,
  openAlone: async (under, open) => {
    const missing = under.openAlone ? undefined : await handles(under, open)
    return missing && `${missing}, and no \`openAlone\` was given`
  },
  fork: async (under) => (under.fork ? undefined : 'no `fork` was given: the store lives in one process'),
  disrupt: async (_under, open) => ((await open()).disrupt ? undefined : 'the handles have no disrupt()'),
} satisfies Record<Means, Missing>
