import { cpus } from 'node:os'
import { now } from '../../shared/clock.js'
import { within } from '../../shared/within.js'
import { percentile } from '../figures.js'
import type { SharedRedis } from '../redis.js'
import { areSame, type Scenario, sameness, upstream } from '../scenario.js'
import { ANSWER_MS } from '../usable-redis.js'

const CALLERS = 100
const WARM_UP_ROUNDS = 5

export const fourProcesses: Scenario = {
  name: 'four processes',
  kind: 'share',
  button: 'Ask in four processes',
  what: `${CALLERS} identical calls at once, spread over four processes`,
  expect: 'One process makes one call; the others wait for its answer, which comes to them over Redis.',
  needs: ['processes'],
  async run(lab, notebook) {
    const { journal, model, redis } = lab
    if (!redis) return
    // On the bundled model some rounds come first, so that the lag is not the time Node takes to compile.
    for (let round = 0; model && round < WARM_UP_ROUNDS; round++) {
      const prompt = lab.newPrompt('is everybody there?')
      model.script(prompt, () => ({ latencyMs: 20 }))
      await lab.askAll(CALLERS, { prompt })
    }
    notebook.begin()
    const prompt = lab.newPrompt('what is a thundering herd?')
    model?.script(prompt, () => ({ latencyMs: 500 }))
    const answers = await lab.askAll(CALLERS, { prompt })
    const [call, ...more] = journal.callsFor(prompt)
    notebook.check(more.length === 0, upstream(1 + more.length))
    notebook.check(areSame(answers), sameness(answers))

    const elsewhere = answers.filter(({ worker }) => worker !== call?.worker)
    const lags = elsewhere.map(({ endedAt = 0 }) => endedAt - (call?.endedAt ?? 0))
    notebook.note(
      `wake-up lag of ${lags.length} callers elsewhere: ${percentile(50, lags)}, max ${Math.max(...lags).toFixed(1)} ms`,
    )
    notebook.note(
      `from the provider's answer to each caller's parsed message: four busy processes on ${cpus().length} cores`,
    )
    const hop = await rawHops(redis).then(
      (hops) => percentile(50, hops),
      (error: Error) => `not measured, ${error.message}`,
    )
    notebook.note(`one raw publish-to-subscriber hop of this Redis, idle: ${hop}`)
  },
}

/** How long messages of Redis take from one connection to another, in ms. */
async function rawHops({ client, prefix }: SharedRedis): Promise<number[]> {
  const subscriber = client.duplicate()
  try {
    const channel = `${prefix}hop`
    await subscriber.subscribe(channel)
    const hops: number[] = []
    for (let round = 0; round < 50; round++) {
      const heard = new Promise<number>((resolve) => subscriber.once('message', () => resolve(now())))
      const sentAt = now()
      await client.publish(channel, 'hop')
      hops.push((await within(ANSWER_MS, heard, () => new Error('a message was lost'))) - sentAt)
    }
    return hops
  } finally {
    subscriber.disconnect()
  }
}
