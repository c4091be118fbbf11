import { createIdem, type Idem } from '@idem/core'
import { startRedisCluster, type TestCluster } from '@idem/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { underTest } from './clients.js'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster.stop())

const { open } = underTest('GlideClusterClient with a subscriber', () => ({
  urls: cluster.nodes.map(({ url }) => url),
  prefix: cluster.prefix,
}))
let idems: Idem[]
let closing: (() => Promise<unknown> | undefined)[]
beforeEach(async () => {
  const handles = await Promise.all([open(), open()])
  idems = handles.map(({ store }) => createIdem({ store, tuning: { leaseMs: 2_000 }, logger: { warn() {} } }))
  closing = handles.map((handle) => () => handle.close?.())
})
afterEach(async () => {
  await Promise.all(idems.map((idem) => idem.close()))
  await Promise.all(closing.map((close) => close()))
})

const executions = new Map<string, number>()
let round = 0
/** Forty new keys, asked for twice in both processes. Every call must end in the right answer. */
async function traffic(): Promise<string[]> {
  const keys = Array.from({ length: 40 }, (_, index) => `round ${round} key ${index}`)
  round++
  const work = (key: string) => () => {
    executions.set(key, (executions.get(key) ?? 0) + 1)
    return key
  }
  for (let again = 0; again < 2; again++) {
    const values = await Promise.all(keys.flatMap((key) => idems.map((idem) => idem.run(key, work(key)))))
    expect(values).toEqual(keys.flatMap((key) => [key, key]))
  }
  return keys
}
const extra = (keys: string[]) => keys.reduce((sum, key) => sum + executions.get(key)! - 1, 0)

test('calls go on right through a live reshard of the slots they use, each executed once', async () => {
  const from = await cluster.masterOf(`${cluster.prefix}any`)
  const to = await cluster.masterOf(await keyElsewhere(from))
  let keys: string[] = []
  const during = async () => {
    keys = [...keys, ...(await traffic())]
  }
  await cluster.reshard(60, from, to, { during })
  const failedOpen = idems.reduce((sum, idem) => sum + idem.stats().failedOpen, 0)
  expect(keys.length).toBeGreaterThan(0)
  expect(extra(keys)).toBeLessThanOrEqual(failedOpen)
}, 120_000)

test('a master killed while calls are in flight: every call ends in a right answer, and sharing resumes', async () => {
  let stop = false
  const calls = (async () => {
    while (!stop) {
      await traffic()
      // Calls that go on without the store end at once: without this turn of the event loop nothing else would run.
      await new Promise(setImmediate)
    }
  })()
  const victim = await cluster.masterOf(`${cluster.prefix}any`)
  await cluster.kill(victim)
  await cluster.waitForPromotion(victim)
  stop = true
  await calls
  const shared = async () => expect(extra(await traffic())).toBe(0)
  await vi.waitFor(shared, { timeout: 60_000, interval: 200 })
}, 120_000)

/** A name whose slot is not on this node. */
async function keyElsewhere(node: { id: string }): Promise<string> {
  for (let index = 0; ; index++) {
    if ((await cluster.masterOf(`${index}`)).id !== node.id) return `${index}`
  }
}
