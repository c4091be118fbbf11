import { APIConnectionTimeoutError, type Middleware } from '@anthropic-ai/sdk'
import { createCaller, plainClient, question } from '../client.js'
import type { Scenario } from '../scenario.js'

const TIMEOUT_MS = 100
const ANSWER_MS = 250

export const impatientClient: Scenario = {
  name: 'impatient client',
  what: `a timeout of ${TIMEOUT_MS} ms, an answer that takes ${ANSWER_MS} ms, 3 retries`,
  needs: 'provider',
  async run({ upstream, provider, redis }, notebook) {
    if (!provider) return
    provider.reset()
    provider.reply({ latencyMs: ANSWER_MS })
    const impatient = { timeout: TIMEOUT_MS, maxRetries: 3 }

    const plain = await outcomeOf(plainClient(upstream, impatient).messages.create(question('why retry?')))
    const plainCalls = provider.calls
    notebook.check(
      plainCalls === 4 && plain === 'APIConnectionTimeoutError',
      `plain SDK: ${plainCalls} upstream calls, then ${plain}`,
    )

    const caller = createCaller(upstream, redis)
    let attempts = 0
    const counting: Middleware = (request, next) => {
      attempts++
      return next(request)
    }
    const client = caller.client({ ...impatient, middleware: [counting] })
    const shared = await outcomeOf(client.messages.create(question('why retry?')))
    notebook.check(
      caller.upstreamCalls === 1 && shared === 'success' && attempts >= 2,
      `with idem: ${caller.upstreamCalls} upstream call, ${shared} at attempt ${attempts}`,
    )

    const before = provider.calls
    const since = performance.now()
    const hasty = caller.client({ timeout: TIMEOUT_MS, maxRetries: 0 })
    const refused = await hasty.messages.create(question('why not wait?')).catch((error) => error)
    const tookMs = performance.now() - since
    notebook.check(
      refused instanceof APIConnectionTimeoutError && tookMs < ANSWER_MS,
      `with idem and no retries: ${refused.constructor.name} after ${tookMs.toFixed(0)} ms`,
    )
    await provider.requests.at(-1)?.done
    const later = await outcomeOf(caller.client().messages.create(question('why not wait?')))
    const calls = provider.calls - before
    notebook.check(
      later === 'success' && calls === 1,
      `its call finished all the same: asking again costs ${calls - 1} calls`,
    )
    notebook.count(caller.idem.stats())
    await caller.close()
  },
}

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'success',
    (error) => error.constructor.name,
  )
}
