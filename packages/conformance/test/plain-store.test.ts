import type { Store } from '@idem/core/store'
import { describe, expect, test } from 'vitest'
import { conformanceTests, type Need, runConformance, storeConformance } from '../src/index.js'
import { twoProcesses } from './broken/concurrency.js'
import { Connected } from './broken/connected.js'
import { PlainStore, Shared } from './broken/plain-store.js'

const shared = new Shared()

storeConformance({
  name: 'the store the broken ones are made of',
  open: () => ({ store: new PlainStore(shared) }),
  runner: { describe: describe.concurrent, test },
})

storeConformance({
  name: 'the same with a second process',
  open: () => ({ store: twoProcesses.open() }),
  fork: twoProcesses.means.fork,
  runner: { describe: describe.concurrent, test },
})

storeConformance({
  name: 'the same behind a connection',
  open() {
    const store = new Connected(shared)
    return { store, disrupt: () => store.disrupt() }
  },
  runner: { describe: describe.concurrent, test },
})

/** Of a store without watch() that every handle is. */
const isMissing = (need: Need) => !['append', 'report', 'no watch'].includes(need)
const REASONS = new Set([
  'this store has no watch()',
  'this store has append()',
  'this store has report()',
  'every handle is the same store',
  'every handle is the same store, and no `openAlone` was given',
  'no `fork` was given: the store lives in one process',
])

test('a store without watch() passes, and the tests that need it are skipped with the reason', async () => {
  const store: Store = new PlainStore()
  store.watch = undefined
  const verdicts = await runConformance(() => ({ store }))
  expect(verdicts.map(({ name }) => name)).toEqual(conformanceTests.map(({ name }) => name))
  expect(verdicts.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  const skipped = verdicts.filter((verdict) => verdict.outcome === 'skipped')
  expect(skipped.map(({ name }) => name)).toEqual(
    conformanceTests.filter(({ needs }) => needs.some(isMissing)).map(({ name }) => name),
  )
  expect(new Set(skipped.map(({ reason }) => reason))).toEqual(REASONS)
})

test('a store without watch() has its skipped tests shown by the runner', async () => {
  const store: Store = new PlainStore()
  store.watch = undefined
  const reasons: (string | undefined)[] = []
  const bodies: (() => Promise<void>)[] = []
  storeConformance({
    name: 'without watch()',
    open: () => ({ store }),
    runner: {
      describe: (_name, body) => body(),
      test: (_name, body) => bodies.push(() => body({ skip: (reason) => reasons.push(reason) })),
    },
  })
  await Promise.all(bodies.map((body) => body()))
  expect(new Set(reasons)).toEqual(REASONS)
  expect(reasons.length).toBe(conformanceTests.filter(({ needs }) => needs.some(isMissing)).length)
})

test('the runner is given the tests that `only` names, and no others', () => {
  const areas: string[] = []
  const names: string[] = []
  storeConformance({
    name: 'one area',
    open: () => ({ store: new PlainStore() }),
    only: ({ area }) => area === 'wake',
    runner: {
      describe(name, body) {
        areas.push(name)
        body()
      },
      test: (name) => names.push(name),
    },
  })
  expect(areas).toEqual(['one area', 'wake'])
  expect(names).toEqual(conformanceTests.filter(({ area }) => area === 'wake').map(({ name }) => name))
})

test('every handle a test opened is closed, also when the test fails', async () => {
  let [opened, closed] = [0, 0]
  const verdicts = await runConformance(() => {
    opened++
    const store = new PlainStore()
    store.acquire = async () => {
      throw new Error('down')
    }
    return { store, close: async () => void closed++ }
  })
  expect(verdicts.some(({ outcome }) => outcome === 'failed')).toBe(true)
  expect(opened).toBeGreaterThan(conformanceTests.length)
  expect(closed).toBe(opened)
})

test('a store that never answers fails instead of hanging', async () => {
  const store = new PlainStore()
  store.acquire = () => new Promise(() => {})
  const verdicts = await runConformance(() => ({ store }), {
    only: ({ area }) => area === 'ownership',
    timeoutMs: 100,
  })
  expect(new Set(verdicts.map(({ outcome }) => outcome))).toEqual(new Set(['failed']))
})
