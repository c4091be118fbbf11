import { areSame, type Scenario, sameness, upstream } from '../scenario.js'

const CLICKS = 50

export const doubleClick: Scenario = {
  name: 'double click',
  kind: 'share',
  button: '50 clicks at once',
  what: `${CLICKS} identical calls at once in one process`,
  expect: 'One call goes to the model, and all get its answer.',
  async run(lab, notebook) {
    const prompt = lab.newPrompt('what does a double click do?')
    lab.model?.script(prompt, () => ({ latencyMs: 200 }))
    const answers = await lab.askAll(CLICKS, { prompt }, 1)
    const calls = lab.journal.callsFor(prompt).length
    notebook.check(calls === 1, upstream(calls))
    notebook.check(areSame(answers), sameness(answers))
  },
}
