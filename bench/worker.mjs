// One contender in a process of its own: `node worker.mjs <contender>`.
import { setTimeout as delay } from 'node:timers/promises'
import { serveWorker } from '@idem/testing'
import { contenders } from './contenders.mjs'

const { REDIS_URL: url, SEEDS: seeds = '[]', PREFIX: prefix } = process.env
const contender = await contenders[process.argv[2]]({ url, seeds: JSON.parse(seeds), prefix })

const now = () => Number(process.hrtime.bigint()) / 1e6
const answerOf = (bytes) => ({ text: 'x'.repeat(Math.max(0, bytes - 11)) })

/** Calls `one(index)` again and again for so long, so many at a time. */
async function during(ms, inFlight, one) {
  const cpu = process.cpuUsage()
  const startedAt = now()
  const times = []
  let calls = 0
  const lane = async () => {
    while (now() - startedAt < ms) {
      const since = now()
      await one(calls++)
      times.push(now() - since)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const { user, system } = process.cpuUsage(cpu)
  times.sort((a, b) => a - b)
  return {
    calls,
    perSecond: (calls / (now() - startedAt)) * 1_000,
    cpuUs: (user + system) / calls,
    p50Us: times[times.length >> 1] * 1_000,
  }
}

const held = new Map()
let waits = []
let misses = 0

const server = serveWorker({
  /** Stores so many answers. */
  async fill(keys, bytes) {
    for (let key = 0; key < keys; key++) await contender.run(`hit ${key}`, () => answerOf(bytes))
  },
  hits: (ms, inFlight, keys) =>
    during(ms, inFlight, (call) =>
      contender.run(`hit ${call % keys}`, () => {
        throw new Error('It is not stored.')
      }),
    ),
  misses: (ms, bytes) => during(ms, 1, () => contender.run(`miss ${misses++}`, () => answerOf(bytes))),

  /** So many callers of one key at once; the work takes so long. When the work ended, and when each caller had it. */
  async herd(key, callers, workMs) {
    let executions = 0
    let endedAt
    const work = async () => {
      executions++
      await delay(workMs)
      const value = answerOf(4_096)
      endedAt = now()
      return value
    }
    const cpu = process.cpuUsage()
    const answers = await Promise.all(
      Array.from({ length: callers }, () => contender.run(key, work).then(() => now())),
    )
    const { user, system } = process.cpuUsage(cpu)
    return { executions, endedAt, answeredAt: answers, cpuUs: (user + system) / callers }
  },

  /** Begins to run so many keys, and holds them until `release`. */
  async hold(keys) {
    for (let key = 0; key < keys; key++) {
      await new Promise((begun) => {
        const running = contender.run(
          `held ${key}`,
          () =>
            new Promise((finish) => {
              held.set(key, { finish, running: () => running })
              begun()
            }),
        )
      })
    }
  },
  async release() {
    for (const { finish } of held.values()) finish(answerOf(64))
    await Promise.all([...held.values()].map(({ running }) => running()))
    held.clear()
  },
  /** Begins to wait for keys that another process holds: bytes of heap and us of CPU each. */
  async waitFor(keys, each, sharesSignal) {
    const { signal } = new AbortController()
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    const cpu = process.cpuUsage()
    for (let key = 0; key < keys; key++)
      for (let wait = 0; wait < each; wait++)
        waits.push(contender.run(`held ${key}`, () => 'mine', sharesSignal ? signal : undefined))
    await delay(500)
    const { user, system } = process.cpuUsage(cpu)
    globalThis.gc?.()
    return {
      bytes: (process.memoryUsage().heapUsed - before) / waits.length,
      cpuUs: (user + system) / waits.length,
    }
  },
  async waited() {
    const values = await Promise.all(waits)
    waits = []
    return values.length
  },
  /** Runs a key, and says so when the work has begun, until the process is killed. */
  async die(key) {
    await contender.run(key, () => {
      server.emit('begun')
      return new Promise(() => {})
    })
  },
  close: () => contender.close(),
})
