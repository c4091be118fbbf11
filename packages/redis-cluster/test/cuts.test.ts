import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createIdem } from '@idem/core'
import { type FaultProxy, startFaultProxy, startRedisCluster, type TestCluster } from '@idem/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { traffic } from '../../../test/adapters/traffic.js'
import { clientNames, openHandle } from './clients.js'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster.stop())

/** A process whose connections all go through proxies of its own. */
async function throughProxies(name: (typeof clientNames)[number], prefix: string) {
  const proxies = await Promise.all(
    cluster.seeds.map(({ host, port }) => startFaultProxy(`redis://${host}:${port}`)),
  )
  const addressOf = (proxy: FaultProxy) => ({ host: '127.0.0.1', port: Number(new URL(proxy.url).port) })
  const natMap = Object.fromEntries(
    cluster.seeds.map(({ host, port }, index) => [`${host}:${port}`, addressOf(proxies[index]!)]),
  )
  const handle = await openHandle(name, { seeds: proxies.map(addressOf), natMap, prefix })
  // Clients wait this long before they try to connect again, whatever the machine is busy with.
  const idem = createIdem({ store: handle.store, tuning: { storeBudgetMs: 30_000 }, logger: { warn() {} } })
  return {
    idem,
    store: handle.store,
    proxies,
    async close() {
      await idem.close()
      await handle.close()
      await Promise.all(proxies.map((proxy) => proxy.stop()))
    },
  }
}

describe.each(clientNames)('through %s', (name) => {
  test('a watch whose connection breaks tells that hints may have been missed: its waiters look at once', async () => {
    const { store, proxies, close } = await throughProxies(name, `${cluster.prefix}${randomUUID()}:`)
    const hints: string[] = []
    const watch = store.watch!('key', ({ type }) => hints.push(type))
    await watch.ready
    for (const proxy of proxies) proxy.cut()
    await vi.waitFor(() => expect(hints).toContain('missed'), { timeout: 20_000 })
    for (const proxy of proxies) proxy.pass()
    watch.stop()
    await close()
  })

  test('all connections cut for 100 or 900 ms while calls run, or those to one node, cost no call', {
    timeout: 60_000,
  }, async () => {
    const prefix = `${cluster.prefix}${randomUUID()}:`
    const sides = await Promise.all([1, 2].map(() => throughProxies(name, prefix)))
    const { executions, more, end } = traffic(sides.map(({ idem }) => idem))
    const all = sides.flatMap(({ proxies }) => proxies)
    const ofOneNode = sides.map(({ proxies }) => proxies[0]!)
    for (const [cut, cutMs] of [
      [all, 100],
      [all, 900],
      [ofOneNode, 900],
    ] as const) {
      await more(50)
      for (const proxy of cut) proxy.cut()
      await delay(cutMs)
      for (const proxy of cut) proxy.pass()
    }
    await more(100)
    await end()
    expect([...executions].filter(([, count]) => count > 1)).toEqual([])
    for (const { idem } of sides) expect(idem.stats().failedOpen).toBe(0)
    await Promise.all(sides.map((side) => side.close()))
  })
})
