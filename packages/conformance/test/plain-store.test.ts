import type { Store } from '@idem/core'
import { describe, expect, test } from 'vitest'
import { conformanceTests, runConformance, storeConformance } from '../src/index.js'
import { PlainStore, Shared } from './broken/plain-store.js'

const shared = new Shared()

storeConformance({
  name: 'the store the broken ones are made of',
  open: () => ({ store: new PlainStore(shared) }),
  runner: { describe, test: test.concurrent },
})

test('a store without watch() passes, and the tests that need it are skipped with the reason', async () => {
  const store: Store = new PlainStore()
  store.watch = undefined
  const verdicts = await runConformance(() => ({ store }))
  expect(verdicts.map(({ name }) => name)).toEqual(conformanceTests.map(({ name }) => name))
  expect(verdicts.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  const skipped = verdicts.filter((verdict) => verdict.outcome === 'skipped')
  expect(skipped.map(({ name }) => name)).toEqual(
    conformanceTests.filter(({ needs }) => needs === 'watch').map(({ name }) => name),
  )
  for (const { reason } of skipped) expect(reason).toBe('this store has no watch()')
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
  expect(new Set(reasons)).toEqual(new Set(['this store has no watch()']))
  expect(reasons.length).toBe(conformanceTests.filter(({ needs }) => needs === 'watch').length)
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
