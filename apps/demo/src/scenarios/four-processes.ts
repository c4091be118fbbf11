import { cpus } from 'node:os'
import type { Stats } from '@idem/core'
import { Redis } from 'ioredis'
import { ms, percentile } from '../figures.js'
import { startProcesses, stopProcesses } from '../processes.js'
import { type Scenario, sameness, upstream as upstreamCalls } from '../scenario.js'
import type { StormReport } from '../worker.js'

const PROCESSES = 4
const CALLERS = 25
const WARM_UP_ROUNDS = 5

export const fourProcesses: Scenario = {
  name: 'four processes',
  what: `${PROCESSES} processes with ${CALLERS} callers each, one question`,
  needs: 'redis',
  async run({ upstream, provider, redis }, notebook) {
    if (!redis) return
    const workers = await startProcesses(PROCESSES, upstream, redis)
    try {
      const storm = (about: string) =>
        Promise.all(workers.map((worker) => worker.call<StormReport>('storm', about, CALLERS)))
      // On the bundled provider some rounds come first, so that the lag is not the time Node takes to compile.
      provider?.reply({ latencyMs: 20 })
      for (let round = 0; provider && round < WARM_UP_ROUNDS; round++)
        await storm(`is everybody there? (${round})`)
      provider?.reply({ latencyMs: 500 })
      const stats = () => Promise.all(workers.map((worker) => worker.call<Stats>('stats')))
      const before = await stats()
      const reports = await storm('what is a thundering herd?')
      const calls = reports.reduce((sum, report) => sum + report.upstreamCalls, 0)
      const answers = reports.flatMap((report) => report.texts)
      notebook.check(calls === 1, upstreamCalls(calls))
      notebook.check(new Set(answers).size === 1, sameness(answers))

      const owner = reports.find((report) => report.answeredAt > 0n)
      const waiters = reports.filter((report) => report !== owner)
      const lags = waiters.flatMap(({ arrivals }) => arrivals.map((at) => ms(at - (owner?.answeredAt ?? at))))
      const hop = await rawHop(redis.url)
      notebook.note(
        `wake-up lag of ${lags.length} callers elsewhere: ${percentile(50, lags)}, max ${Math.max(...lags).toFixed(1)} ms`,
      )
      notebook.note(
        `from the provider's answer to each caller's parsed message: ${PROCESSES} busy processes on ${cpus().length} cores`,
      )
      notebook.note(`one raw publish-to-subscriber hop of this Redis, idle: ${percentile(50, hop)}`)
      const after = await stats()
      after.forEach((one, index) => {
        notebook.count(one, before[index])
      })
    } finally {
      await stopProcesses(workers)
    }
  },
}

/** How long a message of Redis takes from one connection to another, in ms. */
async function rawHop(url: string): Promise<number[]> {
  const [publisher, subscriber] = [new Redis(url), new Redis(url)]
  try {
    const channel = `idem-demo-hop-${process.pid}`
    await subscriber.subscribe(channel)
    const hops: number[] = []
    for (let round = 0; round < 50; round++) {
      const heard = new Promise<bigint>((resolve) =>
        subscriber.once('message', () => resolve(process.hrtime.bigint())),
      )
      const sentAt = process.hrtime.bigint()
      await publisher.publish(channel, 'hop')
      hops.push(ms((await heard) - sentAt))
    }
    return hops
  } finally {
    publisher.disconnect()
    subscriber.disconnect()
  }
}
