import { createHash } from 'node:crypto'
import { createIdem } from '@idem/core'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ioredisStore } from '../src/index.js'
import { report, useProcesses } from './processes.js'

const context = useProcesses()

/** The digest that is part of every name idem makes for a key of `run`. */
const keyOf = (key: string) =>
  createHash('sha256')
    .update(JSON.stringify(['run', 'default', key]))
    .digest('base64url')

interface Arrival {
  value: { by: number; finishedAt: string }
  outcome: string
  at: bigint
}

describe('client commands', () => {
  let client: Redis
  let idem: ReturnType<typeof createIdem>
  beforeEach(async () => {
    client = new Redis(context.redis.url)
    idem = createIdem({ store: ioredisStore(client, { prefix: context.redis.prefix }) })
    await idem.run('warm up: loads the scripts', () => 1)
    await context.monitor.reset()
  })
  afterEach(async () => {
    await idem.close()
    client.disconnect()
  })
  const names = async () => (await context.monitor.commands()).map(([name]) => name?.toUpperCase())

  test('of an uncontended miss are 2, of a hit 1', async () => {
    await idem.run('counted', () => 1)
    expect(await names()).toEqual(['SET', 'EVALSHA'])
    await context.monitor.reset()
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
})

describe('4 processes with 250 callers each', () => {
  const workMs = 500

  async function storm(key: string, options: Record<string, unknown> = {}) {
    const workers = await Promise.all([1, 2, 3, 4].map(() => context.spawn(options)))
    await Promise.all(workers.map((worker, index) => worker.call('storm', `warm up ${key} ${index}`, 1, 0)))
    await context.monitor.reset()
    const since = performance.now()
    const storms = workers.map((worker) => worker.call<Arrival[]>('storm', key, 250, workMs))
    const arrivals = (await Promise.all(storms)).flat()
    const tookMs = performance.now() - since
    const id = keyOf(key)
    // Without the commands that write statistics every few seconds.
    const commands = (await context.monitor.commands()).filter((args) => args.some((arg) => arg.includes(id)))
    return { arrivals, commands, tookMs }
  }

  test('make 1 execution and send at most 40 commands for half a second of work', async () => {
    const { arrivals, commands, tookMs } = await storm('storm')
    expect(arrivals).toHaveLength(1000)
    expect(new Set(arrivals.map(({ value }) => JSON.stringify(value))).size).toBe(1)
    expect(arrivals.filter(({ outcome }) => outcome === 'executed')).toHaveLength(1)
    expect(commands.map(([name]) => name)).toContain('SET')
    // A slow machine takes longer: one more poll by each of three processes for each further 100 ms.
    expect(commands.length).toBeLessThanOrEqual(40 + 3 * Math.ceil(Math.max(0, tookMs - workMs) / 100))
  })

  test('are woken by the hint, one hop away: it works without a single poll', async () => {
    const patient = { tuning: { pollMinMs: 600_000, pollMaxMs: 600_000, leaseMs: 600_000 } }
    const { arrivals, commands } = await storm('hints alone', patient)
    expect(new Set(arrivals.map(({ value }) => JSON.stringify(value))).size).toBe(1)
    // The owner: acquire, complete. Each other process: acquire, subscribe, look, look after the hint, unsubscribe.
    expect(commands.length).toBeLessThanOrEqual(2 + 3 * 5)
    const lags = arrivals
      .filter(({ value, outcome }) => outcome === 'collapsed' && value.by)
      .map(({ value, at }) => Number(at - BigInt(value.finishedAt)) / 1e6)
      .sort((a, b) => a - b)
    report(`wake-up lag: p50 ${lags[lags.length >> 1]?.toFixed(1)} ms, max ${lags.at(-1)?.toFixed(1)} ms`)
  })
})
