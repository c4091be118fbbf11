import { createIdem, type Idem } from '@idem/core'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, test } from 'vitest'
import { ioredisStore } from '../src/index.js'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function serverWith(...args: string[]): Promise<TestRedis> {
  const redis = await startRedis({ args })
  opened.push({ close: () => redis.stop() })
  return redis
}

/** An idem as a process of its own has it. */
function idemOn({ url }: TestRedis, prefix?: string): { idem: Idem; client: Redis } {
  const client = new Redis(url)
  const idem = createIdem({ store: ioredisStore(client, { ...(prefix !== undefined && { prefix }) }) })
  opened.push({ close: () => client.disconnect() }, { close: () => idem.close() })
  return { idem, client }
}

describe('a Redis that evicts (allkeys-lru)', () => {
  test('under pressure costs calls and never an answer: each is of its own request', async () => {
    const redis = await serverWith('--maxmemory', '6mb', '--maxmemory-policy', 'allkeys-lru')
    const [{ idem, client }, { idem: other }] = [idemOn(redis), idemOn(redis)]
    let executions = 0
    const ask = (one: Idem, index: number) =>
      one.run(`key ${index}`, () => {
        executions++
        return { index, text: 'x'.repeat(20_000) }
      })
    // Twice as many as there is room for.
    for (let index = 0; index < 400; index++) {
      const answers = await Promise.all([ask(idem, index), ask(other, index)])
      expect(answers.map((answer) => answer.index)).toEqual([index, index])
    }
    const evicted = Number(/evicted_keys:(\d+)/.exec(await client.info('stats'))?.[1])
    expect(evicted).toBeGreaterThan(100)
    // Redis chooses which ones go, by a clock that counts seconds. Those are made again, and no others.
    const before = executions
    const standing = (await client.keys('idem:{*}')).length
    for (let index = 0; index < 400; index += 8) expect(await ask(other, index)).toMatchObject({ index })
    const again = executions - before
    expect(standing).toBeLessThan(400 - 100)
    expect(again).toBeGreaterThan(0)
    expect(again).toBeLessThanOrEqual(50)
    expect(idem.stats().failedOpen + other.stats().failedOpen).toBe(0)
  })
})

describe('regions', () => {
  test('that share one Redis share calls; each with a prefix of its own, they share none', async () => {
    const redis = await serverWith('--databases', '1')
    const [eu, us, euAgain] = ['idem:eu:', 'idem:us:', 'idem:eu:'].map((prefix) => idemOn(redis, prefix).idem)
    expect(await eu!.run('key', () => 'of eu')).toBe('of eu')
    expect(await us!.run('key', () => 'of us')).toBe('of us')
    expect(await euAgain!.run('key', () => 'never')).toBe('of eu')
    expect(await eu!.forget('key')).toBe(true)
    expect(await us!.run('key', () => 'never')).toBe('of us')
    await eu!.fleetStats() // Writes now what would be written within a second.
    expect(await euAgain!.fleetStats()).toMatchObject({ requests: 2, executed: 1, replayed: 1 })
  })
})
