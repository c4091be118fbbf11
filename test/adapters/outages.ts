import { randomUUID } from 'node:crypto'
import { createIdem, type Idem } from '@idem/core'
import type { Store } from '@idem/core/store'
import { type FaultProxy, startFaultProxy, startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

/** One connected client of an adapter, as an application has it. */
export interface Connected {
  /** A store on this client. */
  store(prefix: string): Store
  /** Resolves when the client, which has lost its connection, is connected again. */
  reconnected(): Promise<unknown>
  disconnect(): void
}

export type Connect = (url: string) => Promise<Connected>

/**
 * What every adapter of a single Redis must do while its server cannot be reached, and after that.
 *
 * @param waiters `poll`: its client has no subscriptions on a single server
 */
export function outages(connect: Connect, waiters: 'are woken' | 'poll' = 'are woken'): void {
  let redis: TestRedis
  let proxy: FaultProxy
  let admin: Redis
  beforeAll(async () => {
    redis = await startRedis()
    proxy = await startFaultProxy(redis.url)
    admin = new Redis(redis.url)
  })
  afterAll(async () => {
    admin.disconnect()
    await proxy.stop()
    await redis.stop()
  })

  /** Two idems: one reaches Redis through the proxy, the other directly. */
  let idem: Idem
  let other: Idem
  let clients: Connected[]
  let prefix: string
  beforeEach(async () => {
    prefix = `${redis.prefix}${randomUUID()}:`
    clients = await Promise.all([proxy.url, redis.url].map(connect))
    const options = { tuning: { storeBudgetMs: 200 }, logger: { warn() {} } }
    idem = createIdem({ store: clients[0]!.store(prefix), ...options })
    other = createIdem({ store: clients[1]!.store(prefix), ...options })
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
          const value = await other.runWithOutcome(key, () => 'not mine')
          expect(value).toEqual({ value: 'mine', outcome: 'replayed' })
        }
        await vi.waitFor(shared, { timeout: 20_000, interval: 100 })
      },
    )

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

  test('a reply that is lost leaves one execution and one stored answer: the lock is found to be ours', async () => {
    await idem.run('connected', () => 1)
    const lost = proxy.dropReplies(1)
    const work = vi.fn(() => 'once')
    const result = await idem.runWithOutcome('lost', work)
    await lost
    expect(result).toEqual({ value: 'once', outcome: 'executed' })
    expect(work).toHaveBeenCalledTimes(1)
    const stored = async () => expect((await other.runWithOutcome('lost', () => 'twice')).value).toBe('once')
    await vi.waitFor(stored, { timeout: 10_000 })
  })

  if (waiters === 'poll') return

  describe('subscriptions', () => {
    const subscriptions = (count: number) =>
      vi.waitFor(
        async () => expect(await admin.call('PUBSUB', 'SHARDCHANNELS', `${prefix}*`)).toHaveLength(count),
        { timeout: 20_000 },
      )

    test('survive a reconnect: a waiter is still woken without a poll', async () => {
      const hinted = createIdem({
        store: clients[0]!.store(prefix),
        tuning: { pollMinMs: 600_000, pollMaxMs: 600_000 },
      })
      let finish = (_: string) => {}
      let owner: Promise<string> | undefined
      await new Promise<void>((began) => {
        owner = other.run('key', () => {
          began()
          return new Promise<string>((done) => {
            finish = done
          })
        })
      })
      const waiter = hinted.run('key', () => 'not called')
      await subscriptions(1)
      const reconnected = clients[0]!.reconnected()
      proxy.cut()
      await subscriptions(0)
      proxy.pass()
      await reconnected
      await subscriptions(1)
      finish('answer')
      expect(await waiter).toBe('answer')
      expect(await owner).toBe('answer')
      await hinted.close()
    })

    test('are there for a key that is watched again while it is being let go', async () => {
      const store = clients[0]!.store(prefix)
      const first = store.watch!('key', () => {})
      await first.ready
      first.stop()
      // Sent and not answered yet: replies are read in a later turn of the event loop.
      await new Promise(setImmediate)
      let heard = (_: unknown) => {}
      const hint = new Promise((resolve) => {
        heard = resolve
      })
      const second = store.watch!('key', heard)
      await second.ready
      const claim = { owner: 'owner', fingerprint: 'fingerprint' }
      await store.complete('key', claim, Buffer.from('answer'), 60_000)
      expect(await hint).toEqual({ type: 'settled', owner: 'owner' })
      await store.close()
    })
  })
}
