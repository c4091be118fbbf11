// Contenders take turns, each in a process of its own, and the median of their turns counts: what else the machine does
// reaches all of them alike.
import { countCommands, spawnWorker } from '@idem/testing'
import { Redis } from 'ioredis'

const file = new URL('./worker.mjs', import.meta.url)

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
export const percentile = (values, rank) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor((values.length * rank) / 100))]

let spawned = 0
/** One process of a contender. Processes with the same `prefix` share. */
export function spawn(name, redis, { prefix = `${redis.prefix}${spawned++}:`, execArgv = [] } = {}) {
  const env = { REDIS_URL: redis.url, SEEDS: JSON.stringify(redis.seeds ?? []), PREFIX: prefix }
  return spawnWorker(file, { args: [name], env, execArgv })
}

/**
 * Lets each contender take its turn, so many times.
 *
 * @param names the same name twice is two processes: how far they are apart is the noise
 * @param turn gives an object of numbers
 * @returns for each contender the median of each number
 */
export async function rounds(count, names, turn) {
  const results = names.map(() => [])
  for (let round = 0; round < count; round++) {
    for (const [index] of names.entries()) {
      const at = (index + round) % names.length
      results[at].push(await turn(at, round))
    }
  }
  return results.map((turns) =>
    Object.fromEntries(Object.keys(turns[0]).map((name) => [name, median(turns.map((turn) => turn[name]))])),
  )
}

/**
 * How many commands clients sent meanwhile. What scripts do inside the server is not counted, nor are the numbers of the
 * fleet, which are written once a second whatever happens.
 */
export async function commandsOf(redis, work) {
  const count = await countCommands(redis.url)
  const result = await work()
  const sent = await count.commands()
  const commands = sent.filter((args) => !args.some((arg) => /stats-\d{4}-\d\d-\d\d/.test(arg))).length
  await count.stop()
  return { result, commands }
}

/** How many bytes went to and from the server meanwhile. */
export async function bytesOf(redis, work) {
  const admin = new Redis(redis.url)
  const look = async () => {
    const stats = await admin.info('stats')
    return [...stats.matchAll(/^total_net_(?:in|out)put_bytes:(\d+)/gm)].reduce(
      (sum, [, bytes]) => sum + Number(bytes),
      0,
    )
  }
  await look()
  const before = await look()
  const own = before - (await look())
  const result = await work()
  const bytes = (await look()) - before + own
  admin.disconnect()
  return { result, bytes }
}
