import { areSame, type Scenario, sameness, upstream } from '../scenario.js'

const CALLERS = 12

export const overloadedModel: Scenario = {
  name: 'overloaded model',
  kind: 'break',
  button: '529 from the model',
  what: `the model answers 529 to the first call that ${CALLERS} callers share, and the SDK of each tries again`,
  expect:
    'The error is shared and not stored: the model sees two calls, not one for each try of each caller.',
  needs: ['model'],
  async run(lab, notebook) {
    const prompt = lab.newPrompt('are you busy?')
    lab.model?.script(prompt, (call) => ({ latencyMs: 400, ...(call === 0 && { status: 529 }) }))
    const answers = await lab.askAll(CALLERS, { prompt })
    const calls = lab.journal.callsFor(prompt)
    const statuses = calls.map(({ status }) => status).join(', then ')
    notebook.check(calls.length === 2, `${upstream(calls.length)}: ${statuses}`)
    notebook.check(areSame(answers), sameness(answers))
    const tries = answers.reduce((sum, { attempts }) => sum + attempts, 0)
    notebook.note(`the SDKs tried ${tries} times in all: without idem, each would have been a call`)
  },
}
