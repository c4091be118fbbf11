// Hits, misses, herds and waits of each contender over one Redis.
import { setTimeout as delay } from 'node:timers/promises'
import { countCommands } from '@idem/testing'
import { PEERS, SHARING } from '../contenders.mjs'
import { percentile, rounds, spawn } from '../rounds.mjs'

const RAW = 'raw ioredis'
/** The raw client twice: how far its two processes are apart is the noise of the machine. */
const IDEM = ['idem, ioredis', 'idem, node-redis']
const COMPARED = [RAW, RAW, 'raw node-redis', ...IDEM, 'poll loop', ...PEERS]
const TURN_MS = 300

const row = (name, numbers) => ({ name, numbers })

/** Each contender's numbers, and how many times the raw client's the first one is. */
export async function compare(redis, count, names, prepare, turn, first) {
  const workers = await Promise.all(names.map((name) => spawn(name, redis)))
  for (const worker of workers) await prepare(worker)
  const results = await rounds(count, names, (at, round) => turn(workers[at], round))
  await Promise.all(workers.map((worker) => worker.stop()))
  const raw = results[names.findIndex((name) => name.startsWith(RAW))]
  return results.map((numbers, at) => {
    const name = names.indexOf(names[at]) === at ? names[at] : `${names[at]}, again (noise)`
    return row(name, { ...numbers, 'of raw': numbers[first] / raw[first] })
  })
}

/** One answer of 4 KiB that is stored, read again. */
export function hit({ redis, count }, inFlight, keys) {
  return compare(
    redis,
    count,
    COMPARED,
    (worker) => worker.call('fill', keys, 4_096),
    async (worker) => {
      const { perSecond, cpuUs } = await worker.call('hits', TURN_MS, inFlight, keys)
      return { 'calls/s': perSecond, 'CPU us': cpuUs }
    },
    'calls/s',
  )
}

/** A record of this many bytes, read again, one at a time. */
export function record({ redis, count }, bytes) {
  return compare(
    redis,
    count,
    [RAW, 'idem, ioredis'],
    (worker) => worker.call('fill', 1, bytes),
    async (worker) => ({ 'p50 us': (await worker.call('hits', TURN_MS, 1, 1)).p50Us }),
    'p50 us',
  )
}

/** A key that nobody has asked for: look, work that takes no time, and storing its answer. */
export function miss({ redis, count }) {
  return compare(
    redis,
    count,
    COMPARED,
    async () => {},
    async (worker) => {
      const { p50Us, cpuUs } = await worker.call('misses', TURN_MS, 4_096)
      return { 'p50 us': p50Us, 'CPU us': cpuUs }
    },
    'p50 us',
  )
}

/** A thousand callers of one key at once in one process; the work takes 50 ms. */
export async function localHerd({ redis, count }) {
  // Powertools refuses a duplicate of a call that is running.
  const names = [...IDEM, 'poll loop', ...PEERS.filter((name) => !name.startsWith('Powertools'))]
  const workers = await Promise.all(names.map((name) => spawn(name, redis)))
  const results = await rounds(count, names, async (at, round) => {
    const result = await workers[at].call('herd', `herd ${round}`, 1_000, 50)
    const wakes = result.answeredAt.map((time) => time - result.endedAt)
    return {
      'wake p50 ms': percentile(wakes, 50),
      'wake max ms': percentile(wakes, 100),
      'CPU us a caller': result.cpuUs,
      executions: result.executions,
    }
  })
  await Promise.all(workers.map((worker) => worker.stop()))
  return names.map((name, at) => row(name, results[at]))
}

/** 250 callers of one key in each of four processes at once; the work takes half a second. */
export async function herd({ redis, count }) {
  const groups = await Promise.all(
    SHARING.map(async (name, index) => {
      const prefix = `${redis.prefix}herd${index}:`
      return Promise.all([1, 2, 3, 4].map(() => spawn(name, redis, { prefix })))
    }),
  )
  const results = await rounds(count, SHARING, async (at, round) => {
    const result = await Promise.all(
      groups[at].map((worker) => worker.call('herd', `herd ${round}`, 250, 500)),
    )
    const endedAt = Math.max(...result.map((one) => one.endedAt ?? 0))
    const wakes = result.flatMap(({ answeredAt }) => answeredAt.map((time) => time - endedAt))
    return {
      'wake p50 ms': percentile(wakes, 50),
      'wake max ms': percentile(wakes, 100),
      executions: result.reduce((sum, { executions }) => sum + executions, 0),
    }
  })
  await Promise.all(groups.flat().map((worker) => worker.stop()))
  return SHARING.map((name, at) => row(name, results[at]))
}

/** The process that makes the call is killed; another one waits for its answer. */
export async function ownerKilled({ redis, count }) {
  const results = await rounds(count, IDEM, async (at, round) => {
    const prefix = `${redis.prefix}killed${at}:${round}:`
    const [owner, waiter] = await Promise.all([1, 2].map(() => spawn(IDEM[at], redis, { prefix })))
    const begun = owner.once('begun')
    owner.call('die', 'key').catch(() => {})
    await begun
    const waiting = waiter.call('herd', 'key', 1, 0)
    await delay(200)
    const killedAt = Number(process.hrtime.bigint()) / 1e6
    await owner.stop()
    const { answeredAt } = await waiting
    await waiter.stop()
    return { 'taken over after ms': answeredAt[0] - killedAt }
  })
  return IDEM.map((name, at) => row(name, results[at]))
}

/** A process waits for a thousand keys that another one holds. */
export async function manyKeys({ redis, count }) {
  const results = await rounds(count, IDEM, async (at, round) => {
    const prefix = `${redis.prefix}keys${at}:${round}:`
    const count = await countCommands(redis.url)
    const [owner, waiter] = await Promise.all([1, 2].map(() => spawn(IDEM[at], redis, { prefix })))
    await owner.call('hold', 1_000)
    await waiter.call('waitFor', 1_000, 1, false)
    await delay(4_000) // Until the owner of each was heard, and looks are as far apart as they get.
    await count.reset()
    await delay(5_000)
    const commands = await count.commands()
    const looks = commands.filter(([name]) => name?.toUpperCase() === 'SET').length
    await owner.call('release')
    await waiter.call('waited')
    await Promise.all([owner.stop(), waiter.stop()])
    await count.stop()
    return { 'looks/s': looks / 5, 'of the owner/s': (commands.length - looks) / 5 }
  })
  return IDEM.map((name, at) => row(name, results[at]))
}

/** Ten thousand callers in one process wait for one key that another process holds. */
export async function manyWaiters({ redis, count }) {
  const kinds = [false, true]
  const results = await rounds(count, kinds, async (at, round) => {
    const prefix = `${redis.prefix}waiters${at}:${round}:`
    const execArgv = ['--expose-gc']
    const [owner, waiter] = await Promise.all(
      [1, 2].map(() => spawn('idem, ioredis', redis, { prefix, execArgv })),
    )
    await owner.call('hold', 1)
    const { bytes, cpuUs } = await waiter.call('waitFor', 1, 10_000, kinds[at])
    await owner.call('release')
    await waiter.call('waited')
    await Promise.all([owner.stop(), waiter.stop()])
    return { 'MB for 10,000': (bytes * 10_000) / 1e6, 'CPU us each': cpuUs }
  })
  return ['idem, ioredis', 'idem, ioredis, all with one signal'].map((name, at) => row(name, results[at]))
}
