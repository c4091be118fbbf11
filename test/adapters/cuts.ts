import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createIdem } from '@idem/core'
import { startFaultProxy, startRedis, startRedisServer, type TestRedis } from '@idem/testing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Connect } from './outages.js'
import { traffic } from './traffic.js'

/** A connection that is lost for a moment costs nothing. */
export function cuts(connect: Connect): void {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())

  /** A process with a connection of its own, whose client waits this long before it connects again. */
  async function processOn(url: string, prefix: string) {
    const client = await connect(url)
    const idem = createIdem({
      store: client.store(prefix),
      tuning: { storeBudgetMs: 30_000, leaseMs: 10_000 },
      logger: { warn() {} },
    })
    return { idem, disconnect: () => client.disconnect() }
  }

  test('a watch whose connection breaks tells that hints may have been missed: its waiters look at once', async () => {
    const proxy = await startFaultProxy(redis.url)
    const client = await connect(proxy.url)
    const store = client.store(`${redis.prefix}${randomUUID()}:`)
    const hints: string[] = []
    const watch = store.watch!('key', ({ type }) => hints.push(type))
    await watch.ready
    expect(hints).toEqual([])
    proxy.cut()
    await vi.waitFor(() => expect(hints).toContain('missed'), { timeout: 20_000 })
    watch.stop()
    await store.close()
    client.disconnect()
    await proxy.stop()
  })

  test('a connection cut for 100 or 900 ms while calls run, other keys asked for meanwhile, costs no call', {
    timeout: 60_000,
  }, async () => {
    const proxies = await Promise.all([1, 2].map(() => startFaultProxy(redis.url)))
    const prefix = `${redis.prefix}${randomUUID()}:`
    const sides = await Promise.all(proxies.map(({ url }) => processOn(url, prefix)))
    const idems = sides.map(({ idem }) => idem)
    const { executions, more, end } = traffic(idems)
    for (const cutMs of [100, 100, 900]) {
      await more(50)
      for (const proxy of proxies) proxy.cut()
      await delay(cutMs)
      for (const proxy of proxies) proxy.pass()
    }
    await more(100)
    await end()
    expect([...executions].filter(([, count]) => count > 1)).toEqual([])
    expect(idems.map((idem) => idem.stats().failedOpen)).toEqual([0, 0])
    await Promise.all(idems.map((idem) => idem.close()))
    for (const { disconnect } of sides) disconnect()
    await Promise.all(proxies.map((proxy) => proxy.stop()))
  })

  test('a restart of Redis, with the loss of all it had, costs one call a process at most, and one for what was lost', {
    timeout: 60_000,
  }, async () => {
    let server = await startRedisServer()
    const url = `redis://127.0.0.1:${server.port}`
    const sides = await Promise.all([1, 2].map(() => processOn(url, 'idem:')))
    const idems = sides.map(({ idem }) => idem)
    const { executions, more, end } = traffic(idems)
    await more(50)
    const before = new Set(executions.keys())
    await server.stop()
    server = await startRedisServer({ port: server.port })
    await more(100)
    await end()
    for (const [key, count] of executions) {
      // A record that was lost is made again. A key that was first asked for later was never stored.
      expect(count, key).toBeLessThanOrEqual(before.has(key) ? 3 : 2)
    }
    expect([...executions.values()].filter((count) => count > 2).length).toBeLessThanOrEqual(1)
    expect(idems.map((idem) => idem.stats().failedOpen)).toEqual([0, 0])
    await Promise.all(idems.map((idem) => idem.close()))
    for (const { disconnect } of sides) disconnect()
    await server.stop()
  })
}
