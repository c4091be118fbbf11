import { createIdem, type Idem } from '@idem/core'
import { type CommandCount, countCommands, startRedis, type TestRedis } from '@idem/testing'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { nodeRedisStore } from '../src/index.js'

/** A server of this file's own, since its commands are counted. */
let redis: TestRedis
let monitor: CommandCount
beforeAll(async () => {
  redis = await startRedis({ args: ['--databases', '1'] })
  monitor = await countCommands(redis.url)
})
afterAll(async () => {
  await monitor.stop()
  await redis.stop()
})

describe('client commands', () => {
  let client: ReturnType<typeof createClient>
  let idem: Idem
  beforeEach(async () => {
    client = createClient({ url: redis.url })
    await client.connect()
    idem = createIdem({ store: nodeRedisStore(client, { prefix: redis.prefix }) })
    await idem.run('warm up: loads the scripts', () => 1)
    await monitor.reset()
  })
  afterEach(async () => {
    await idem.close()
    client.destroy()
  })
  const names = async () => (await monitor.commands()).map(([name]) => name?.toUpperCase())

  test('of an uncontended miss are 2, of a hit 1', async () => {
    await idem.run('counted', () => 1)
    expect(await names()).toEqual(['SET', 'EVALSHA'])
    await monitor.reset()
    await idem.run('counted', () => 2)
    expect(await names()).toEqual(['SET'])
  })

  test('of 1000 local duplicates are those of one caller', async () => {
    let executions = 0
    const work = () => ++executions
    await Promise.all(Array.from({ length: 1000 }, () => idem.run('thousand', work)))
    expect(executions).toBe(1)
    expect(await names()).toEqual(['SET', 'EVALSHA'])
  })

  test('of a waiter that is woken are those of ioredis: no poll, no command of the client’s own', async () => {
    const other = createIdem({
      store: nodeRedisStore(client, { prefix: redis.prefix }),
      tuning: { pollMinMs: 600_000, pollMaxMs: 600_000 },
    })
    let finish = () => {}
    const first = idem.run('waited for', () => new Promise<void>((resolve) => (finish = resolve)))
    const waiter = other.run('waited for', () => {})
    const subscribed = async () => (await names()).includes('SSUBSCRIBE')
    await expect.poll(subscribed, { timeout: 20_000 }).toBe(true)
    finish()
    await Promise.all([first, waiter])
    // The owner: acquire, complete. The waiter: acquire, subscribe, look, look after the hint.
    const ofBoth = ['EVALSHA', 'SET', 'SET', 'SET', 'SET', 'SSUBSCRIBE']
    expect((await names()).filter((name) => name !== 'SUNSUBSCRIBE').sort()).toEqual(ofBoth)
    await other.close()
  })
})
