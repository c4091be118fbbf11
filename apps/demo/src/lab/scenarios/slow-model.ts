import { setTimeout as delay } from 'node:timers/promises'
import { areSame, type Scenario, sameness, upstream } from '../scenario.js'

const CLICKS = 10
const EVERY_MS = 200
const ANSWER_MS = 3_000

export const slowModel: Scenario = {
  name: 'slow model',
  kind: 'break',
  button: 'Slow model',
  what: `an answer that takes ${ANSWER_MS / 1_000} s, and a user who clicks ${CLICKS} times meanwhile, every ${EVERY_MS} ms`,
  expect: 'One call; every click waits only for what is left of it.',
  needs: ['model'],
  async run(lab, notebook) {
    const prompt = lab.newPrompt('why does nothing move?')
    lab.model?.script(prompt, () => ({ latencyMs: ANSWER_MS }))
    const clicks = []
    for (let click = 0; click < CLICKS; click++) {
      clicks.push(lab.ask({ prompt }).answered)
      await delay(EVERY_MS)
    }
    const answers = await Promise.all(clicks)
    const calls = lab.journal.callsFor(prompt).length
    notebook.check(calls === 1, upstream(calls))
    notebook.check(areSame(answers), sameness(answers))
    const { startedAt, endedAt = Number.POSITIVE_INFINITY } = answers.at(-1)!
    notebook.check(
      endedAt - startedAt < ANSWER_MS - EVERY_MS,
      `the last click waited ${(endedAt - startedAt).toFixed(0)} ms of the ${ANSWER_MS}`,
    )
  },
}
