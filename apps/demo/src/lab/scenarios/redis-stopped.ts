import { setTimeout as delay } from 'node:timers/promises'
import { now } from '../../shared/clock.js'
import type { Lab } from '../lab.js'
import type { Scenario } from '../scenario.js'

const CALLS = 20

export const redisStopped: Scenario = {
  name: 'Redis stopped',
  kind: 'break',
  button: 'Stop Redis',
  what: `Redis is gone, ${CALLS} different calls are made, Redis comes back`,
  expect:
    'Every call succeeds without Redis, at the price of sharing inside each process alone. Once it is started again, sharing resumes by itself.',
  needs: ['processes'],
  async run(lab, notebook) {
    const before = lab.newPrompt('is Redis there?')
    lab.model?.script(before, () => ({ latencyMs: 20 }))
    await lab.askAll(4, { prompt: before })
    await lab.interruptRedis()
    try {
      const asked = Array.from({ length: CALLS }, () => {
        const prompt = lab.newPrompt('what is an outage?')
        lab.model?.script(prompt, () => ({ latencyMs: 20 }))
        return lab.ask({ prompt }).answered
      })
      const answers = await Promise.all(asked)
      const succeeded = answers.filter(({ error }) => error === undefined).length
      notebook.check(succeeded === CALLS, `${succeeded} of ${CALLS} calls succeeded without Redis`)
      await notebook.step('Start Redis')
    } finally {
      await lab.resumeRedis()
    }
    const resumedMs = await sharingResumes(lab)
    notebook.check(
      resumedMs !== undefined,
      `sharing resumed by itself ${resumedMs?.toFixed(0) ?? '-'} ms after Redis was back`,
    )
  },
}

/** Between two tries of whether processes share again, ms. */
const TRY_EVERY_MS = 250

/** Tries until two processes share again; how long that took, or undefined after ten seconds. */
async function sharingResumes(lab: Lab): Promise<number | undefined> {
  const since = now()
  for (; now() - since < 10_000; await delay(TRY_EVERY_MS)) {
    const prompt = lab.newPrompt('is Redis back?')
    lab.model?.script(prompt, () => ({ latencyMs: 20 }))
    const [here, there] = [await lab.ask({ prompt }, 1).answered, await lab.ask({ prompt }, 2).answered]
    if (here.answerId !== undefined && here.answerId === there.answerId) return now() - since
  }
  return undefined
}
