import { now } from '../../shared/clock.js'
import { LEASE_MS } from '../lab.js'
import { areSame, type Scenario, sameness, upstream } from '../scenario.js'
import { ownedAndWaitedFor, TAKEOVER_MS } from './owned-and-waited-for.js'

export const ownerKilled: Scenario = {
  name: 'owner killed',
  kind: 'break',
  button: 'Kill the owner',
  what: 'SIGKILL to the process that makes the call, while the three others wait for its answer',
  expect: `Another process takes over when the lease (${LEASE_MS / 1_000} s) is over, and all who wait get its answer.`,
  needs: ['processes', 'model'],
  async run(lab, notebook) {
    const { journal } = lab
    const prompt = lab.newPrompt('what is a heartbeat?')
    const { owner, waiters } = await ownedAndWaitedFor(lab, prompt, { hang: true }, { latencyMs: 500 })
    const killedAt = now()
    lab.workers.kill(owner.worker)
    const answers = await Promise.all(waiters.map(({ answered }) => answered))
    const [lost, takeover, ...more] = journal.callsFor(prompt)
    const tookMs = (takeover?.startedAt ?? Number.POSITIVE_INFINITY) - killedAt
    notebook.check(
      tookMs < TAKEOVER_MS,
      `another process made the call itself ${tookMs.toFixed(0)} ms after the kill`,
    )
    notebook.check(areSame(answers), `those who waited: ${sameness(answers)}`)
    notebook.check(
      lost?.end === 'lost' && more.length === 0,
      `${upstream(2 + more.length)}, one of them lost with its process`,
    )
    await journal.until('a new process', () => lab.workers.rows.every(({ state }) => state === 'up'))
    notebook.note(`a new process serves in its place, as worker ${owner.worker}`)
  },
}
