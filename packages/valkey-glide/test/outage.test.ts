import { randomUUID } from 'node:crypto'
import { createIdem, type Idem } from '@idem/core'
import { type FaultProxy, startFaultProxy, startRedis, type TestRedis } from '@idem/testing'
import type { GlideClient } from '@valkey/valkey-glide'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { valkeyGlideStore } from '../src/index.js'
import { connect } from './clients.js'

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

/** Two idems: one reaches the server through the proxy, the other directly. */
let idem: Idem
let other: Idem
let clients: GlideClient[]
let prefix: string
beforeEach(async () => {
  prefix = `${redis.prefix}${randomUUID()}:`
  clients = [await connect(proxy.url, { requestTimeout: 250 }), await connect(redis.url)]
  const [first, second] = clients.map((client) => valkeyGlideStore(client, { prefix }))
  const options = { storeBudgetMs: 200, logger: { warn() {} } }
  idem = createIdem({ store: first!, ...options })
  other = createIdem({ store: second!, ...options })
})
afterEach(async () => {
  proxy.pass()
  await Promise.all([idem.close(), other.close()])
  for (const client of clients) client.close()
})

describe('a server unreachable', () => {
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
      await vi.waitFor(shared, { timeout: 20_000, interval: 100 })
    },
  )

  test('for longer than a request may take: what was asked meanwhile is not done later', async () => {
    const store = valkeyGlideStore(clients[0]!, { prefix })
    await store.ready()
    proxy.cut()
    const claim = { owner: 'owner', fingerprint: 'fingerprint' }
    const lost = await Promise.allSettled(
      [1, 2, 3].map((key) => store.acquire(`queued${key}`, claim, 60_000)),
    )
    expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    proxy.pass()
    await vi.waitFor(() => store.acquire('back', claim, 60_000), { timeout: 20_000, interval: 50 })
    const direct = valkeyGlideStore(clients[1]!, { prefix })
    const found = await Promise.all([1, 2, 3].map((key) => direct.read(`queued${key}`)))
    expect(found.map(({ state }) => state)).toEqual(['absent', 'absent', 'absent'])
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
