import { startFaultProxy } from '@idem/testing'
import { createCaller, question } from '../client.js'
import type { Scenario } from '../scenario.js'

const CALLS = 20

export const redisUnreachable: Scenario = {
  name: 'Redis unreachable mid-run',
  what: `a proxy between us and Redis drops every connection, ${CALLS} calls are made, it lets them through again`,
  needs: 'redis',
  async run({ upstream, provider, redis }, notebook) {
    if (!redis) return
    provider?.reply({ latencyMs: 20 })
    const proxy = await startFaultProxy(redis.url)
    const behind = createCaller(upstream, { ...redis, url: proxy.url })
    const direct = createCaller(upstream, redis)
    try {
      const ask = (caller: typeof behind, about: string) => caller.client().messages.create(question(about))
      await ask(behind, 'is Redis there?')
      proxy.cut()
      const answers = await Promise.allSettled(
        Array.from({ length: CALLS }, (_, call) => ask(behind, `what is outage ${call}?`)),
      )
      const succeeded = answers.filter(({ status }) => status === 'fulfilled').length
      notebook.check(succeeded === CALLS, `${succeeded} of ${CALLS} calls succeeded without Redis`)
      proxy.pass()
      const backAt = performance.now()
      const resumedMs = await sharingResumes(async (round) => {
        const about = `is Redis back, round ${round}?`
        const [here, there] = [await ask(behind, about), await ask(direct, about)]
        return here.id === there.id
      }, backAt)
      notebook.check(
        resumedMs !== undefined,
        `sharing resumed by itself ${resumedMs?.toFixed(0) ?? '-'} ms after Redis was back`,
      )
      notebook.count(behind.idem.stats())
      notebook.count(direct.idem.stats())
    } finally {
      proxy.pass()
      await Promise.all([behind.close(), direct.close()])
      await proxy.stop()
    }
  },
}

/** Tries until two processes share again; how long that took, or undefined after ten seconds. */
async function sharingResumes(
  share: (round: number) => Promise<boolean>,
  since: number,
): Promise<number | undefined> {
  for (let round = 0; performance.now() - since < 10_000; round++) {
    if (await share(round)) return performance.now() - since
  }
  return undefined
}
