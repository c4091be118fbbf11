import { randomUUID } from 'node:crypto'
import { createIdem, type Idem } from '@idem/core'
import { type FaultProxy, startFaultProxy, startRedis, type TestRedis } from '@idem/testing'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { nodeRedisStore } from '../src/index.js'

type Client = ReturnType<typeof connectTo>
const connectTo = (url: string, options: object) => createClient({ url, ...options })

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

describe.each([
  { RESP: 3, disableOfflineQueue: false },
  { RESP: 2, disableOfflineQueue: true },
] as const)('with %j', ({ RESP, disableOfflineQueue }) => {
  /** Two idems: one reaches Redis through the proxy, the other directly. */
  let idem: Idem
  let other: Idem
  let clients: Client[]
  let prefix: string
  beforeEach(async () => {
    prefix = `${redis.prefix}${randomUUID()}:`
    clients = [proxy, redis].map(({ url }) => connectTo(url, { RESP, disableOfflineQueue }))
    await Promise.all(clients.map((client) => client.on('error', () => {}).connect()))
    const [first, second] = clients.map((client) => nodeRedisStore(client, { prefix }))
    const options = { storeBudgetMs: 200, logger: { warn() {} } }
    idem = createIdem({ store: first!, ...options })
    other = createIdem({ store: second!, ...options })
  })
  afterEach(async () => {
    proxy.pass()
    await Promise.all([idem.close(), other.close()])
    for (const client of clients) client.destroy()
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

    test('is sent nothing: what is given up there could be sent minutes later', async () => {
      await idem.run('before', () => 1)
      const sent = vi.spyOn(clients[0]!, 'sendCommand')
      proxy.cut()
      await vi.waitFor(() => expect(clients[0]!.isReady).toBe(false))
      expect(await idem.run('during', () => 1)).toBe(1)
      expect(sent).not.toHaveBeenCalled()
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
    /** Never polls: it ends by a hint or not at all. */
    const hintedBy = (client: Client) =>
      createIdem({ store: nodeRedisStore(client, { prefix }), pollMinMs: 600_000, pollMaxMs: 600_000 })

    test('survive a reconnect: a waiter is still woken without a poll', async () => {
      const hinted = hintedBy(clients[0]!)
      const { owner, finish } = await begun('key')
      const waiter = hinted.run('key', () => 'not called')
      await subscriptions(1)
      const reconnected = new Promise((resolve) => clients[0]!.once('ready', resolve))
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

    test('come back with the next waiter after the client gave up reconnecting', async () => {
      const options = { RESP, disableOfflineQueue, socket: { reconnectStrategy: false } } as const
      const client = await connectTo(proxy.url, options)
        .on('error', () => {})
        .connect()
      const hinted = hintedBy(client)
      const first = await begun('before')
      const before = hinted.run('before', () => 'not called')
      await subscriptions(1)
      first.finish('first')
      expect(await before).toBe('first')
      await subscriptions(0)

      proxy.cut()
      await vi.waitFor(() => expect(client.isOpen).toBe(false))
      proxy.pass()
      await client.connect()
      const second = await begun('after')
      const after = hinted.run('after', () => 'not called')
      await subscriptions(1)
      second.finish('second')
      expect(await after).toBe('second')
      await hinted.close()
      client.destroy()
    })

    test('are there for a key that is watched again while it is being let go', async () => {
      const store = nodeRedisStore(clients[0]!, { prefix })
      const first = store.watch!('key', () => {})
      await first.ready
      first.stop()
      // Unsubscribed, and not answered yet: replies are read later in a turn of the event loop than this.
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

  /** A call of the other process that runs until `finish`. */
  async function begun(key: string) {
    let finish = (_: string) => {}
    let owner = Promise.resolve('')
    await new Promise<void>((began) => {
      owner = other.run(key, () => {
        began()
        return new Promise<string>((done) => {
          finish = done
        })
      })
    })
    return { owner, finish }
  }

  async function subscriptions(count: number): Promise<void> {
    const look = async () => expect(await clients[1]!.pubSubShardChannels(`${prefix}*`)).toHaveLength(count)
    await vi.waitFor(look, { timeout: 10_000 })
  }
})
