import { randomUUID } from 'node:crypto'
import { createIdem, type Idem } from '@idem/core'
import { startRedisCluster, type TestCluster } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { redisClusterStore } from '../src/index.js'
import { clientNames, openHandle } from './clients.js'
import { connect } from './connect.mjs'

const logger = { warn() {} }

/** A node-redis cluster, which does this when a node has left. */
interface Resubscribing {
  resubscribeAllPubSubListeners(listeners: object): void
}

describe.each(clientNames)('through %s', (name) => {
  let cluster: TestCluster
  let handles: Awaited<ReturnType<typeof openHandle>>[]
  let idems: Idem[]
  beforeAll(async () => {
    cluster = await startRedisCluster()
  }, 60_000)
  afterAll(() => cluster.stop())
  beforeEach(async () => {
    handles = await Promise.all([openHandle(name, cluster), openHandle(name, cluster)])
    idems = handles.map(({ store }) => createIdem({ store, tuning: { leaseMs: 2_000 }, logger }))
  })
  afterEach(async () => {
    await Promise.all(idems.map((idem) => idem.close()))
    await Promise.all(handles.map((handle) => handle.close()))
  })

  test('keys spread over the masters, and each finds its way', async () => {
    const keys = Array.from({ length: 60 }, (_, index) => `spread ${index}`)
    await Promise.all(keys.map((key) => idems[0]!.run(key, () => key)))
    const values = await Promise.all(keys.map((key) => idems[1]!.runWithOutcome(key, () => 'executed again')))
    expect(values).toEqual(keys.map((value) => ({ value, outcome: 'replayed' })))
    const held = await Promise.all(
      cluster.nodes.map(async (node) => {
        const client = new Redis(node.url)
        const [role, names] = [await node.role(), await client.keys(`${cluster.prefix}*`)]
        client.disconnect()
        return role === 'master' ? names.length : 0
      }),
    )
    expect(held.filter((count) => count > 0)).toHaveLength(3)
  })

  test('waiters are woken by the sharded channel of their slot, without a poll', async () => {
    const hinted = createIdem({
      store: handles[1]!.store,
      tuning: { pollMinMs: 600_000, pollMaxMs: 600_000 },
    })
    const keys = Array.from({ length: 9 }, (_, index) => `hinted ${index}`)
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    let began = 0
    const owners = keys.map((key) =>
      idems[0]!.run(key, async () => {
        began++
        await finished
        return key
      }),
    )
    await vi.waitFor(() => expect(began).toBe(keys.length), { timeout: 20_000 })
    const waiters = keys.map((key) => hinted.run(key, () => 'not called'))
    await vi.waitFor(async () => expect(await subscriptions(cluster)).toBe(keys.length), { timeout: 10_000 })
    finish()
    expect(await Promise.all(waiters)).toEqual(keys)
    await Promise.all(owners)
  })

  test('calls go on right through a live reshard of the slots they use, each executed once', async () => {
    const from = await cluster.masterOf(`${cluster.prefix}any`)
    const to = (await masters(cluster)).find((node) => node !== from)!
    const executions = new Map<string, number>()
    let round = 0
    // The same keys again and again, in new rounds: records replay while their slots move, and new ones are made.
    const traffic = async () => {
      const keys = Array.from({ length: 40 }, (_, index) => `moving ${round} ${index}`)
      round++
      const work = (key: string) => () => {
        executions.set(key, (executions.get(key) ?? 0) + 1)
        return key
      }
      for (let again = 0; again < 2; again++) {
        const values = await Promise.all(keys.flatMap((key) => idems.map((idem) => idem.run(key, work(key)))))
        expect(values).toEqual(keys.flatMap((key) => [key, key]))
      }
    }
    let moving = true
    const background = (async () => {
      while (moving) await traffic()
    })()
    const slots = await usedSlots(cluster, from.url)
    await cluster.reshard(slots.slice(0, 60), from, to, { during: traffic })
    moving = false
    await background
    const failedOpen = idems.reduce((sum, idem) => sum + idem.stats().failedOpen, 0)
    const extra = [...executions.values()].reduce((sum, count) => sum + count - 1, 0)
    process.stdout.write(
      `    ${name}: ${round} rounds of 40 keys during the reshard, ${extra} extra executions\n`,
    )
    expect(extra).toBeLessThanOrEqual(failedOpen)
  }, 120_000)

  // ioredis itself awaits its subscriptions.
  test.skipIf(name === 'ioredis')(
    'a handle that is closed while its client subscribes anew rejects nothing that nobody awaits',
    async () => {
      const { client, close } = await connect[name](cluster, randomUUID())
      const made: Resubscribing[] = []
      const duplicate = client.duplicate.bind(client)
      client.duplicate = () => {
        const copy = duplicate()
        made.push(copy)
        return copy
      }
      const store = redisClusterStore(client, { prefix: cluster.prefix })
      // One on each master at least.
      await Promise.all(Array.from({ length: 30 }, (_, key) => store.watch!(`${key}`, () => {}).ready))
      const paused = await cluster.masterOf('channel')
      await cluster.pause(paused)
      try {
        // As the client itself does when a node has left. A rejection that is not handled fails the test run.
        const listeners = { buffers: new Set([() => {}]), strings: new Set() }
        const none = { CHANNELS: new Map(), PATTERNS: new Map() }
        made[0]!.resubscribeAllPubSubListeners({ ...none, SHARDED: new Map([['channel', listeners]]) })
        await new Promise(setImmediate)
        await store.close()
        await new Promise(setImmediate)
      } finally {
        await cluster.resume(paused)
        close()
      }
    },
  )

  test('a master killed while calls are in flight: every call ends in a right answer', async () => {
    const executions: string[] = []
    let stop = false
    let calls = 0
    const traffic = async (worker: number) => {
      for (let index = 0; !stop; index++) {
        const key = `failover ${worker} ${index}`
        const work = () => {
          executions.push(key)
          return new Promise((resolve) => setTimeout(resolve, 20, key))
        }
        const values = await Promise.all(idems.map((idem) => idem.run(key, work)))
        calls += 2
        expect(values).toEqual([key, key])
      }
    }
    const workers = Promise.all(Array.from({ length: 8 }, (_, worker) => traffic(worker)))
    await vi.waitFor(() => expect(calls).toBeGreaterThan(100), { timeout: 20_000 })
    const victim = (await masters(cluster))[0]!
    const killedAt = performance.now()
    await cluster.kill(victim)
    await cluster.waitForPromotion(victim)
    const promotedMs = performance.now() - killedAt
    const before = calls
    await vi.waitFor(() => expect(calls).toBeGreaterThan(before + 200), { timeout: 30_000 })
    stop = true
    await workers
    // It does not look for the new master; the README says so.
    if (name === 'node-redis 5') return
    // Sharing resumes by itself, on every slot.
    const shared = async () => {
      const keys = Array.from({ length: 30 }, (_, index) => `after ${performance.now()} ${index}`)
      await Promise.all(keys.map((key) => idems[0]!.run(key, () => key)))
      const values = await Promise.all(keys.map((key) => idems[1]!.runWithOutcome(key, () => 'again')))
      expect(values.filter(({ outcome }) => outcome !== 'replayed')).toEqual([])
    }
    await vi.waitFor(shared, { timeout: 30_000, interval: 200 })
    const extra = executions.length - new Set(executions).size
    process.stdout.write(
      `    ${name}: promoted after ${promotedMs.toFixed(0)} ms; ${calls} calls, ${extra} extra executions\n`,
    )
  }, 120_000)
})

async function masters(cluster: TestCluster) {
  const roles = await Promise.all(cluster.nodes.map((node) => node.role().catch(() => 'gone')))
  return cluster.nodes.filter((_, index) => roles[index] === 'master')
}

async function subscriptions(cluster: TestCluster): Promise<number> {
  const counts = await Promise.all(
    cluster.nodes.map(async ({ url }) => {
      const client = new Redis(url)
      const channels = (await client.call('PUBSUB', 'SHARDCHANNELS', `${cluster.prefix}*`)) as string[]
      client.disconnect()
      return channels.length
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

/** The slots of this master that hold keys of idem. */
async function usedSlots(cluster: TestCluster, url: string): Promise<number[]> {
  const client = new Redis(url)
  const names = await client.keys(`${cluster.prefix}*`)
  client.disconnect()
  return [...new Set(names.map((name) => cluster.slotOf(name)))]
}
