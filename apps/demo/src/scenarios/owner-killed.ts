import type { Stats } from '@idem/core'
import { Redis } from 'ioredis'
import { startProcesses, stopProcesses } from '../processes.js'
import type { Scenario } from '../scenario.js'
import type { StormReport } from '../worker.js'

const LEASE_MS = 1_000

export const ownerKilled: Scenario = {
  name: 'owner killed',
  what: `SIGKILL to the process that makes the call, while another one waits (lease ${LEASE_MS} ms)`,
  needs: 'redis and provider',
  async run({ upstream, provider, redis }, notebook) {
    if (!redis || !provider) return
    provider.reset()
    provider.reply((_, index) => (index === 0 ? { hang: true } : { latencyMs: 50 }))
    const workers = await startProcesses(2, upstream, redis, LEASE_MS)
    const [owner, waiter] = workers
    try {
      const arrived = provider.nextCall()
      const lost = owner!.call('storm', 'what is a heartbeat?', 1).catch((error) => error)
      await arrived
      const answer = waiter!.call<StormReport>('storm', 'what is a heartbeat?', 1)
      await someoneWaits(redis.url, redis.prefix)
      const takeover = provider.nextCall()
      const killedAt = performance.now()
      owner!.signal('SIGKILL')
      await lost
      await takeover
      const tookMs = performance.now() - killedAt
      const { texts } = await answer
      notebook.check(
        tookMs < LEASE_MS + 500,
        `the waiting process made the call itself after ${tookMs.toFixed(0)} ms`,
      )
      notebook.check(
        texts.length === 1 && provider.calls === 2,
        `its caller got an answer; ${provider.calls} upstream calls, one lost with its process`,
      )
      notebook.count(await waiter!.call<Stats>('stats'))
    } finally {
      await stopProcesses(workers)
    }
  },
}

/** Resolves when a process has subscribed to a key of this run: it waits for the owner. */
async function someoneWaits(url: string, prefix: string): Promise<void> {
  const client = new Redis(url)
  try {
    const giveUpAt = performance.now() + 10_000
    while (((await client.call('PUBSUB', 'SHARDCHANNELS', `${prefix}*`)) as string[]).length === 0) {
      if (performance.now() > giveUpAt)
        throw new Error('The second process did not start to wait within 10 s.')
    }
  } finally {
    client.disconnect()
  }
}
