import { randomUUID } from 'node:crypto'
import { createIdem } from '@idem/core'
import { type FaultProxy, startFaultProxy, startRedis, type TestRedis } from '@idem/testing'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { outages } from '../../../test/adapters/outages.js'
import { nodeRedisStore } from '../src/index.js'
import { connected } from './connected.js'

const VARIANTS = [
  { RESP: 3, disableOfflineQueue: false },
  { RESP: 2, disableOfflineQueue: true },
] as const

describe.each(VARIANTS)('with %j', (options) => {
  outages((url) => connected({ ...options, url }))
})

describe.each(VARIANTS)('with %j, a client', (options) => {
  let redis: TestRedis
  let proxy: FaultProxy
  beforeAll(async () => {
    redis = await startRedis()
    proxy = await startFaultProxy(redis.url)
  })
  afterEach(() => proxy.pass())
  afterAll(async () => {
    await proxy.stop()
    await redis.stop()
  })

  test('that is not connected is sent nothing: what is given up there could be sent minutes later', async () => {
    const client = createClient({ ...options, url: proxy.url })
    await client.on('error', () => {}).connect()
    const store = nodeRedisStore(client, { prefix: redis.prefix })
    const idem = createIdem({ store, tuning: { storeBudgetMs: 200 }, logger: { warn() {} } })
    await idem.run('before', () => 1)
    const sent = vi.spyOn(client, 'sendCommand')
    proxy.cut()
    await vi.waitFor(() => expect(client.isReady).toBe(false), { timeout: 20_000 })
    expect(await idem.run('during', () => 1)).toBe(1)
    expect(sent).not.toHaveBeenCalled()
    proxy.pass()
    await idem.close()
    client.destroy()
  })

  test('that gave up reconnecting has its hints back with the next waiter', async () => {
    const prefix = `${redis.prefix}${randomUUID()}:`
    const [client, admin] = [
      createClient({ ...options, url: proxy.url, socket: { reconnectStrategy: false } }),
      createClient({ url: redis.url }),
    ]
    await Promise.all([client, admin].map((one) => one.on('error', () => {}).connect()))
    const other = createIdem({ store: nodeRedisStore(admin, { prefix }) })
    // Never polls: it ends by a hint or not at all.
    const hinted = createIdem({
      store: nodeRedisStore(client, { prefix }),
      tuning: { pollMinMs: 600_000, pollMaxMs: 600_000 },
    })
    const subscriptions = (count: number) =>
      vi.waitFor(async () => expect(await admin.pubSubShardChannels(`${prefix}*`)).toHaveLength(count), {
        timeout: 10_000,
      })
    const wakes = async (key: string) => {
      let finish = (_: string) => {}
      await new Promise<void>((began) => {
        void other.run(key, () => {
          began()
          return new Promise<string>((done) => {
            finish = done
          })
        })
      })
      const waiter = hinted.run(key, () => 'not called')
      await subscriptions(1)
      finish('answer')
      expect(await waiter).toBe('answer')
    }
    await wakes('before')
    await subscriptions(0)
    proxy.cut()
    await vi.waitFor(() => expect(client.isOpen).toBe(false), { timeout: 20_000 })
    proxy.pass()
    await client.connect()
    await wakes('after')
    await Promise.all([hinted.close(), other.close()])
    for (const one of [client, admin]) one.destroy()
  })
})
