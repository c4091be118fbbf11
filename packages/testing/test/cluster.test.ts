import { existsSync } from 'node:fs'
import { Cluster, Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ClusterNode, spawnWorker, startRedisCluster, type TestCluster } from '../src/index.js'

// Six servers on a busy machine, and elections on top.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function ownCluster(): Promise<TestCluster> {
  const cluster = await startRedisCluster()
  closing.push(() => cluster.stop())
  return cluster
}

function clientOf(cluster: TestCluster): Cluster {
  const client = new Cluster(cluster.seeds, {
    clusterRetryStrategy: () => 100,
    // A write to a dead master waits for its successor.
    redisOptions: { maxRetriesPerRequest: null, connectTimeout: 1000 },
    retryDelayOnFailover: 100,
    retryDelayOnClusterDown: 100,
    maxRedirections: 1000,
  })
  client.on('error', () => {})
  closing.push(() => client.disconnect())
  return client
}

function clientOfNode(node: ClusterNode): Redis {
  const client = new Redis(node.url, { retryStrategy: () => null })
  client.on('error', () => {})
  closing.push(() => client.disconnect())
  return client
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function ownersOf(cluster: TestCluster, keys: string[]): Promise<ClusterNode[]> {
  return Promise.all(keys.map((key) => cluster.masterOf(key)))
}

/** A master with a key that it owns, and another master. */
async function keyBetween(cluster: TestCluster) {
  const key = `${cluster.prefix}{moving}`
  const from = await cluster.masterOf(key)
  const to = cluster.nodes.find((node, i) => i < 3 && node !== from)!
  return { key, slot: cluster.slotOf(key), from, to }
}

describe('a cluster that nobody harms', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster?.stop())

  test('is three masters and a replica of each, all of them processes of its own', async () => {
    const roles = await Promise.all(cluster.nodes.map((node) => node.role()))
    expect(roles).toEqual(['master', 'master', 'master', 'replica', 'replica', 'replica'])
    expect(new Set(cluster.nodes.map(({ pid }) => pid)).size).toBe(6)
    expect(cluster.nodes.every(({ pid }) => isAlive(pid))).toBe(true)
  })

  test('covers every slot in the eyes of every node, with replicas in sync', async () => {
    for (const node of cluster.nodes) {
      const client = clientOfNode(node)
      const lines = (await client.cluster('INFO')).split('\r\n')
      expect(lines).toEqual(expect.arrayContaining(['cluster_state:ok', 'cluster_slots_ok:16384']))
      expect(await client.info('replication')).not.toContain('master_link_status:down')
    }
  })

  test('spreads keys over all masters, each at the node that masterOf names', async () => {
    const client = clientOf(cluster)
    const keys = Array.from({ length: 60 }, (_, i) => `${cluster.prefix}${i}`)
    for (const key of keys) await client.set(key, key)
    const owners = await ownersOf(cluster, keys)
    expect(new Set(owners)).toEqual(new Set(cluster.nodes.slice(0, 3)))
    const direct = keys.map((key, i) => clientOfNode(owners[i]!).get(key))
    expect(await Promise.all(direct)).toEqual(keys)
  })

  test('computes the slot of a key as the server does, hash tags included', async () => {
    const client = clientOfNode(cluster.nodes[0]!)
    for (const key of ['a', '{tag}a', 'b{tag}', '{}a', '{a', 'clé{été}', `${cluster.prefix}{x}y{z}`]) {
      expect([key, cluster.slotOf(key)]).toEqual([key, await client.cluster('KEYSLOT', key)])
    }
    expect(cluster.slotOf(`${cluster.prefix}{tag}`)).toBe(cluster.slotOf('tag'))
  })

  test('answers ASK for a missing key of a slot that is migrating, and the target takes it with ASKING', async () => {
    const { key, slot, from, to } = await keyBetween(cluster)
    const source = clientOfNode(from)
    const target = clientOfNode(to)
    await source.set(`${key}present`, '1')
    await cluster.reshard([slot], from, to, {
      async during({ moved }) {
        if (moved > 0) return
        const ask = `ASK ${slot} ${to.host}:${to.port}`
        await expect(source.get(`${key}missing`)).rejects.toThrow(ask)
        await expect(source.eval('return 1', 1, `${key}missing`)).rejects.toThrow(ask)
        expect(await source.get(`${key}present`)).toBe('1')
        await expect(target.set(`${key}missing`, '2')).rejects.toThrow('MOVED')
        await target.asking()
        expect(await target.set(`${key}missing`, '2')).toBe('OK')
      },
    })
    await expect(source.get(`${key}present`)).rejects.toThrow(`MOVED ${slot} ${to.host}:${to.port}`)
    expect(await target.mget(`${key}present`, `${key}missing`)).toEqual(['1', '2'])
    await cluster.reshard([slot], to, from)
    expect(await cluster.masterOf(key)).toBe(from)
  })

  test('reshards a slot while a client writes to it, and nothing is lost', async () => {
    const { key, slot, from, to } = await keyBetween(cluster)
    const client = clientOf(cluster)
    for (let i = 0; i < 50; i++) await client.set(`${key}before:${i}`, i)
    const monitor = await cluster.monitorAll()
    closing.push(() => monitor.stop())

    let written = 0
    let moving = true
    let onWrite = () => {}
    const writer = (async () => {
      while (moving) {
        await client.set(`${key}new:${written}`, written)
        await client.incr(`${key}before:0`)
        written++
        onWrite()
      }
    })()
    const steps: number[] = []
    const reshard = cluster.reshard([slot], from, to, {
      keysPerStep: 7,
      async during({ moved }) {
        steps.push(moved)
        // One write that began in this very state has ended: the first to end may have begun before.
        for (let i = 0; i < 2; i++) {
          await Promise.race([new Promise<void>((resolve) => (onWrite = resolve)), writer])
        }
      },
    })
    await reshard.finally(() => {
      moving = false
    })
    await writer

    expect(await cluster.masterOf(key)).toBe(to)
    expect(steps.length).toBeGreaterThan(7)
    expect(written).toBeGreaterThanOrEqual(2 * steps.length)
    expect((await monitor.commands()).get(to)!.map(([name]) => name!.toLowerCase())).toContain('asking')
    expect(await client.get(`${key}before:0`)).toBe(String(written))
    for (let i = 1; i < 50; i++) expect(await client.get(`${key}before:${i}`)).toBe(String(i))
    for (let i = 0; i < written; i++) expect(await client.get(`${key}new:${i}`)).toBe(String(i))
    await cluster.reshard([slot], to, from)
  })

  test('moves a slot to its end although what was done meanwhile failed, and tells of it', async () => {
    const { key, slot, from, to } = await keyBetween(cluster)
    await clientOf(cluster).set(`${key}kept`, '1')
    const failing = cluster.reshard([slot], from, to, {
      during: () => Promise.reject(new Error('failed meanwhile')),
    })
    await expect(failing).rejects.toThrow('failed meanwhile')
    await cluster.settled()
    expect(await cluster.masterOf(key)).toBe(to)
    expect(await clientOfNode(to).get(`${key}kept`)).toBe('1')
    await cluster.reshard([slot], to, from)
  })

  test('moves as many slots as asked, the lowest first', async () => {
    const [from, to] = cluster.nodes
    await cluster.reshard(20, from!, to!)
    const ranges = await clientOfNode(from!).cluster('SLOTS')
    const lowest = ranges.find(([first]) => first === 0)!
    expect([lowest[1], lowest[2]![1]]).toEqual([19, to!.port])
    await cluster.reshard(
      Array.from({ length: 20 }, (_, slot) => slot),
      to!,
      from!,
    )
  })

  test('refuses to move a slot its source does not own, and moves none', async () => {
    const [from, to] = cluster.nodes
    await expect(cluster.reshard([0, 16383], from!, to!)).rejects.toThrow('Slot 16383 is not of the node')
    await expect(cluster.reshard([16383], to!, from!)).rejects.toThrow('Slot 16383 is not of the node')
    const ranges = await clientOfNode(from!).cluster('SLOTS')
    expect(ranges.find(([first]) => first === 0)![2]![1]).toBe(from!.port)
  })

  test('shows which node served which command', async () => {
    const monitor = await cluster.monitorAll()
    closing.push(() => monitor.stop())
    const key = `${cluster.prefix}seen`
    await clientOf(cluster).set(key, '1')
    const owner = await cluster.masterOf(key)
    const commands = await monitor.commands()
    expect(commands.get(owner)).toEqual([['set', key, '1']])
    for (const node of cluster.nodes.slice(0, 3)) {
      if (node !== owner) expect(commands.get(node)).toEqual([])
    }
    await monitor.reset()
    expect((await monitor.commands()).get(owner)).toEqual([])
  })
})

test('a killed master is replaced by its replica, and a write to its slot succeeds afterwards', async () => {
  const cluster = await ownCluster()
  const client = clientOf(cluster)
  const key = `${cluster.prefix}key`
  await client.set(key, 'before')
  const master = await cluster.masterOf(key)
  const replica = cluster.nodes[cluster.nodes.indexOf(master) + 3]
  await cluster.kill(master)
  expect(isAlive(master.pid)).toBe(false)
  expect(await cluster.waitForPromotion(master)).toBe(replica)
  expect(await cluster.masterOf(key)).toBe(replica)
  expect(await replica!.role()).toBe('master')
  expect(await client.set(key, 'after')).toBe('OK')
  expect(await clientOfNode(replica!).get(key)).toBe('after')
  await cluster.settled()
  await expect(cluster.kill(master)).rejects.toThrow('is killed')
  await expect(cluster.resume(master)).rejects.toThrow('is killed')
})

test('a paused master is replaced, and is a replica of its successor when it runs again', async () => {
  const cluster = await ownCluster()
  const key = `${cluster.prefix}key`
  const master = await cluster.masterOf(key)
  await cluster.pause(master)
  const successor = await cluster.waitForPromotion(master)
  expect(await successor.role()).toBe('master')
  await cluster.resume(master)
  await cluster.settled()
  expect(await master.role()).toBe('replica')
  expect(await cluster.masterOf(key)).toBe(successor)
})

test('nobody can take the place of a node that owned no slots', async () => {
  const cluster = await ownCluster()
  const replica = cluster.nodes[3]!
  await expect(cluster.waitForPromotion(replica)).rejects.toThrow('owned no slots')
  await cluster.kill(replica)
  await expect(cluster.waitForPromotion(replica)).rejects.toThrow('owned no slots')
  await cluster.settled()
})

test('stop leaves no process and no files, whether a node runs, is paused or is killed', async () => {
  const cluster = await ownCluster()
  const directories = await Promise.all(
    cluster.nodes.map(async (node) => (await clientOfNode(node).config('GET', 'dir')) as string[]),
  )
  await cluster.pause(cluster.nodes[0]!)
  await cluster.kill(cluster.nodes[1]!)
  await cluster.stop()
  await cluster.stop()
  expect(cluster.nodes.filter(({ pid }) => isAlive(pid))).toEqual([])
  expect(directories.map(([, directory]) => directory!).filter(existsSync)).toEqual([])
})

test('a cluster does not outlive the process that started it, even one that is killed', async () => {
  const worker = await spawnWorker(new URL('fixtures/cluster-worker.mjs', import.meta.url))
  closing.push(() => worker.stop())
  const pids = await worker.call<number[]>('startRedisCluster')
  expect(pids.map(isAlive)).toEqual([true, true])
  worker.signal('SIGKILL')
  await expect.poll(() => pids.filter(isAlive), { timeout: 20_000 }).toEqual([])
})
