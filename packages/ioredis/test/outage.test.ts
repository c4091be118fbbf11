import { randomUUID } from 'node:crypto'
import { createIdem, type Idem } from '@idem/core'
import { type FaultProxy, startFaultProxy, startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { ioredisStore } from '../src/index.js'

let redis: TestRedis
let proxy: FaultProxy
beforeAll(async () => {
  redis = await startRedis()
  proxy = await startFaultProxy(redis.url)
})
afterAll(async () => {
  await proxy.stop()
  await redis.stop()
})

/** Two idems: one reaches Redis through the proxy, the other directly. */
let idem: Idem
let other: Idem
let clients: Redis[]
let prefix: string
beforeEach(() => {
  prefix = `${redis.prefix}${randomUUID()}:`
  clients = [new Redis(proxy.url), new Redis(redis.url)]
  for (const client of clients) client.on('error', () => {})
  const [first, second] = clients.map((client) => ioredisStore(client, { prefix }))
  const options = { storeBudgetMs: 200, logger: { warn() {} } }
  idem = createIdem({ store: first!, ...options })
  other = createIdem({ store: second!, ...options })
})
afterEach(async () => {
  proxy.pass()
  await Promise.all([idem.close(), other.close()])
  for (const client of clients) client.disconnect()
})

describe('Redis unreachable', () => {
  test.each(['cut', 'hang'] as const)(
    '(%s): every call succeeds, and sharing resumes by itself',
    async (fault) => {
      await idem.run('before', () => 1)
      proxy[fault]()
      let executions = 0
      const values = await Promise.all(
        Array.from({ length: 30 }, (_, call) => idem.run(`during ${call % 3}`, async () => ++executions)),
      )
      expect(values).toHaveLength(30)
      expect(executions).toBe(3)
      expect(idem.stats().failedOpen).toBe(3)
      proxy.pass()
      let round = 0
      const shared = async () => {
        const key = `after ${round++}`
        await idem.run(key, () => 'mine')
        expect(await other.runWithOutcome(key, () => 'not mine')).toEqual({
          value: 'mine',
          outcome: 'replayed',
        })
      }
      await vi.waitFor(shared, { timeout: 10_000, interval: 100 })
    },
  )

  test('from the start: no call waits for a connection that was refused', async () => {
    proxy.cut()
    const client = new Redis(proxy.url)
    client.on('error', () => {})
    const cold = createIdem({
      store: ioredisStore(client, { prefix }),
      storeBudgetMs: 60_000,
      logger: { warn() {} },
    })
    expect(await cold.run('cold', () => 'made')).toBe('made')
    client.disconnect()
    await cold.close()
  })

  test('at the moment of the commit: the answer is given at once and stored when Redis is back', async () => {
    const value = await idem.run('committed late', async () => {
      proxy.cut()
      return 'paid for'
    })
    expect(value).toBe('paid for')
    proxy.pass()
    const stored = async () => {
      const look = await other.runWithOutcome('committed late', () =>
        Promise.reject(new Error('not stored yet')),
      )
      expect(look).toEqual({ value: 'paid for', outcome: 'replayed' })
    }
    await vi.waitFor(stored, { timeout: 10_000, interval: 50 })
  })
})

describe('a reply that is lost', () => {
  test('leaves one execution and one stored answer: the lock is found to be ours', async () => {
    await idem.run('connected', () => 1)
    const lost = proxy.dropReplies(1)
    const work = vi.fn(() => 'once')
    const result = await idem.runWithOutcome('lost', work)
    await lost
    expect(result).toEqual({ value: 'once', outcome: 'executed' })
    expect(work).toHaveBeenCalledTimes(1)
    await vi.waitFor(
      async () => expect((await other.runWithOutcome('lost', () => 'twice')).value).toBe('once'),
      { timeout: 10_000 },
    )
  })
})

describe('subscriptions', () => {
  test('survive a reconnect: a waiter is still woken without a poll', async () => {
    const hinted = createIdem({
      store: ioredisStore(clients[0]!, { prefix }),
      pollMinMs: 600_000,
      pollMaxMs: 600_000,
    })
    let owner: Promise<string> | undefined
    let finish = (_: string) => {}
    const began = new Promise<void>((resolve) => {
      owner = other.run('key', () => {
        resolve()
        return new Promise<string>((done) => {
          finish = done
        })
      })
    })
    await began
    const waiter = hinted.run('key', () => 'not called')
    await vi.waitFor(async () => expect(await subscriptions()).toBe(1), { timeout: 5_000 })
    const reconnected = new Promise((resolve) => clients[0]!.once('ready', resolve))
    proxy.cut()
    await vi.waitFor(async () => expect(await subscriptions()).toBe(0), { timeout: 5_000 })
    proxy.pass()
    await reconnected
    await vi.waitFor(async () => expect(await subscriptions()).toBe(1), { timeout: 10_000 })
    finish('answer')
    expect(await waiter).toBe('answer')
    expect(await owner).toBe('answer')
    await hinted.close()
  })
})

async function subscriptions(): Promise<number> {
  const channels = (await clients[1]!.call('PUBSUB', 'SHARDCHANNELS', `${prefix}*`)) as string[]
  return channels.length
}
