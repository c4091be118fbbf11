import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { createIdem } from '@idem/core'
import { type FaultProxy, startFaultProxy, startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ioredisStore } from '../src/index.js'

const SECRET = 'what-no-log-may-hold'

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

/** Everything an idem reports about calls with secret names and results, while `fault` is done to its Redis. */
async function told(url: string, fault: () => Promise<unknown>) {
  const heard: unknown[] = []
  const hear = (event: unknown) => heard.push(event)
  const client = new Redis(url, { maxRetriesPerRequest: 1 })
  client.on('error', () => {})
  const idem = createIdem({
    store: ioredisStore(client, { prefix: `${redis.prefix}${SECRET}:${randomUUID()}:` }),
    tuning: { storeBudgetMs: 300 },
    logger: { warn: hear, info: hear, debug: hear },
  })
  for (const name of ['failedOpen', 'warning'] as const) {
    idem.on(name, hear)
    subscribe(`idem:${name}`, hear)
  }
  try {
    const value = await idem.run('commit', async () => {
      await fault()
      return SECRET
    })
    expect(value).toBe(SECRET)
    await idem.run('acquire', () => SECRET)
    const closed = idem.run(`closed ${SECRET}`, () => SECRET, { ifStoreFails: 'reject' })
    heard.push(
      await closed.then(
        () => undefined,
        (error) => error,
      ),
    )
    heard.push(await idem.forget('commit').catch((error) => error))
    return heard
  } finally {
    for (const name of ['failedOpen', 'warning']) unsubscribe(`idem:${name}`, hear)
    client.disconnect()
    await idem.close()
  }
}

/** Whether the secret is anywhere in it: in texts, names and bytes, at any depth. */
function holdsSecret(value: unknown, seen = new Set<unknown>()): boolean {
  if (typeof value === 'string') return value.includes(SECRET)
  if (value instanceof Uint8Array) return Buffer.from(value).includes(SECRET)
  if (typeof value !== 'object' || value === null || seen.has(value)) return false
  seen.add(value)
  return Reflect.ownKeys(value).some(
    (name) => holdsSecret(name, seen) || holdsSecret(Reflect.get(value, name), seen),
  )
}

test.each([['set', 'evalsha', 'eval'], ['set'], ['evalsha', 'eval']])(
  'a Redis that refuses %s: nothing that idem tells holds what a command was sent with',
  async (...refused) => {
    const user = `limited-${randomUUID()}`
    await admin.call('ACL', 'SETUSER', user, 'on', '>pw', '~*', '&*', '+@all')
    const url = redis.url.replace('redis://', `redis://${user}:pw@`)
    const heard = await told(url, () =>
      admin.call('ACL', 'SETUSER', user, ...refused.map((command) => `-${command}`)),
    )
    await admin.call('ACL', 'DELUSER', user)
    expect(inspect(heard, { depth: 20 })).toContain('NOPERM')
    expect(holdsSecret(heard)).toBe(false)
  },
)

test('a connection that is cut: nothing that idem tells holds what a command was sent with', async () => {
  const heard = await told(proxy.url, async () => proxy.cut())
  proxy.pass()
  expect(heard.length).toBeGreaterThan(0)
  expect(holdsSecret(heard)).toBe(false)
})
