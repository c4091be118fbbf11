import { randomUUID } from 'node:crypto'
import { createIdem, type Idem } from '@idem/core'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { ioredisStore } from '../src/index.js'

let redis: TestRedis
let client: Redis
beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

let prefix: string
let warn: ReturnType<typeof vi.fn<(message: string) => void>>
let idem: Idem
beforeEach(() => {
  prefix = `${redis.prefix}${randomUUID()}:`
  warn = vi.fn()
  idem = createIdem({
    store: ioredisStore(client, { prefix }),
    tuning: { leaseMs: 150, pollMaxMs: 50 },
    logger: { warn },
  })
})
afterEach(() => idem.close())

/** What Redis keeps a key under. */
async function nameOf(key: string): Promise<string> {
  let digest = ''
  await createIdem().run(key, (context) => {
    digest = context.idempotencyKey
  })
  return `${prefix}{${digest}}`
}

describe('a lock that somebody took the expiry from', () => {
  test('gets one from a caller that waits for it, and is told once; the call is made when it has lapsed', async () => {
    const name = await nameOf('key')
    const { fingerprint } = await lockOf('other key')
    await client.set(name, `L ${'o'.repeat(22)} ${fingerprint}`)
    expect(await idem.run('key', () => 'mine')).toBe('mine')
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/had no expiry/)]])
    expect(warn.mock.calls[0]![0]).toContain(name)
  })

  test('is kept by an owner that is at work: its next renewal gives it one', async () => {
    const name = await nameOf('key')
    const value = await idem.run('key', async () => {
      await client.persist(name)
      await vi.waitFor(async () => expect(await client.pttl(name)).toBeGreaterThan(0))
      return 'done'
    })
    expect(value).toBe('done')
    expect(warn).not.toHaveBeenCalled()
  })
})

test('a lease that others wait for is not made longer by their waiting', async () => {
  const store = ioredisStore(client, { prefix })
  const [owner, other] = ['owner', 'other'].map((owner) => ({ owner, fingerprint: 'fingerprint' }))
  await store.acquire('key', owner!, 100)
  expect(await store.renew('key', other!, 600_000)).toBe('lost')
  expect(await client.pttl(`${prefix}{key}`)).toBeLessThanOrEqual(100)
  await store.close()
})

/** How a lock of this idem looks. */
async function lockOf(key: string): Promise<{ fingerprint: string }> {
  const name = await nameOf(key)
  let value: string | null = null
  await idem.run(key, async () => {
    value = await client.get(name)
  })
  return { fingerprint: String(value).split(' ')[2]! }
}

describe.each([
  ['list', (name: string) => client.rpush(name, 'x')],
  ['hash', (name: string) => client.hset(name, 'x', 'y')],
  ['set', (name: string) => client.sadd(name, 'x')],
  ['stream', (name: string) => client.xadd(name, '*', 'x', 'y')],
])('a %s under the name of a key', (_, put) => {
  test('is told by its name once; calls of that key go on alone, those of others are shared', async () => {
    const name = await nameOf('key')
    await put(name)
    for (let call = 0; call < 6; call++) expect(await idem.run('key', () => 'made')).toBe('made')
    const other = createIdem({ store: ioredisStore(client, { prefix }), logger: { warn() {} } })
    await idem.run('shared', () => 1)
    expect(await other.runWithOutcome('shared', () => 2)).toEqual({ value: 1, outcome: 'replayed' })
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/WRONGTYPE/)]])
    expect(warn.mock.calls[0]![0]).toContain(`"DEL ${name}"`)
    await other.close()
  })

  test("is an error with 'reject', and the call is not made", async () => {
    await put(await nameOf('key'))
    const effect = vi.fn()
    const run = idem.run('key', effect, { ifStoreFails: 'reject' })
    await expect(run).rejects.toMatchObject({ code: 'IDEM_STORE_UNAVAILABLE', message: /WRONGTYPE/ })
    expect(effect).not.toHaveBeenCalled()
  })
})
