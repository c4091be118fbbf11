import { createCaller, question } from '../client.js'
import { type Scenario, sameness, upstream as upstreamCalls } from '../scenario.js'

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
    const texts = answers.map((answer) => JSON.stringify(answer))
    notebook.check(caller.upstreamCalls === 1, upstreamCalls(caller.upstreamCalls))
    notebook.check(new Set(texts).size === 1, sameness(texts))
    notebook.count(caller.idem.stats())
    await caller.close()
  },
}
