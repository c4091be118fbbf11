import { now } from '../../shared/clock.js'
import { areSame, type Scenario, sameness, upstream } from '../scenario.js'
import { ownedAndWaitedFor, TAKEOVER_MS } from './owned-and-waited-for.js'

export const ownerPaused: Scenario = {
  name: 'owner paused',
  kind: 'break',
  button: 'Pause the owner',
  what: 'SIGSTOP to the process that makes the call, past its lease, then SIGCONT',
  expect:
    'Another process takes over; the first answer that is finished is everybody’s, also in the process that slept.',
  needs: ['processes', 'model'],
  async run(lab, notebook) {
    const { journal } = lab
    const prompt = lab.newPrompt('what is a long pause?')
    const { owner, waiters } = await ownedAndWaitedFor(lab, prompt, { latencyMs: 3_000 }, { latencyMs: 500 })
    const pausedAt = now()
    lab.workers.pause(owner.worker)
    try {
      const answers = await Promise.all(waiters.map(({ answered }) => answered))
      const tookMs = (journal.callsFor(prompt)[1]?.startedAt ?? Number.POSITIVE_INFINITY) - pausedAt
      notebook.check(
        tookMs < TAKEOVER_MS,
        `another process made the call itself ${tookMs.toFixed(0)} ms after the pause began`,
      )
      lab.workers.resume(owner.worker)
      const all = [...answers, await owner.answered]
      notebook.check(areSame(all), `the process that slept included: ${sameness(all)}`)
      const calls = journal.callsFor(prompt).length
      notebook.check(calls === 2, `${upstream(calls)}: a pause that long costs one`)
    } finally {
      lab.workers.resume(owner.worker)
    }
  },
}
