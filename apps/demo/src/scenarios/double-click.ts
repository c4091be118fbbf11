import { createCaller, question } from '../client.js'
import type { Scenario } from '../scenario.js'

const CLICKS = 50

export const doubleClick: Scenario = {
  name: 'double click',
  what: `${CLICKS} identical calls at once`,
  async run({ upstream, provider, redis }, notebook) {
    provider?.reply({ latencyMs: 200 })
    const caller = createCaller(upstream, redis)
    const client = caller.client()
    const request = question('what does a double click do?')
    const answers = await Promise.all(Array.from({ length: CLICKS }, () => client.messages.create(request)))
    const different = new Set(answers.map((answer) => JSON.stringify(answer))).size
    notebook.check(caller.upstreamCalls === 1, `${caller.upstreamCalls} upstream call`)
    notebook.check(
      different === 1,
      `${answers.length} answers, ${different === 1 ? 'all identical' : `${different} different`}`,
    )
    notebook.count(caller.idem.stats())
    await caller.close()
  },
}
