import type { RequestRow } from '../../shared/rows.js'
import { type Scenario, upstream } from '../scenario.js'

const TIMEOUT_MS = 100
const ANSWER_MS = 250
/** Slow enough that a timeout on a busy machine is never taken for an answer. */
const LATE_ANSWER_MS = 1_000

export const impatientClient: Scenario = {
  name: 'impatient client',
  kind: 'break',
  button: 'Impatient client',
  what: `a timeout of ${TIMEOUT_MS} ms, an answer that takes ${ANSWER_MS} ms, 3 retries`,
  expect:
    'The plain SDK pays four calls and fails; with idem the retry finds the call of the first try, and pays one.',
  needs: ['model'],
  async run(lab, notebook) {
    const ask = async (about: string, how: { isPlain?: boolean; maxRetries: number }) => {
      const answer = await lab.ask({ prompt: about, timeoutMs: TIMEOUT_MS, ...how }, 1).answered
      return { answer, calls: lab.journal.callsFor(about).length }
    }
    const newPrompt = (question: string, latencyMs = ANSWER_MS) => {
      const prompt = lab.newPrompt(question)
      lab.model?.script(prompt, () => ({ latencyMs }))
      return prompt
    }

    const plain = await ask(newPrompt('why retry?'), { isPlain: true, maxRetries: 3 })
    notebook.check(
      plain.calls === 4 && isTimeout(plain.answer),
      `plain SDK: ${upstream(plain.calls)}, then ${nameOf(plain.answer)}`,
    )

    const shared = await ask(newPrompt('why retry at all?'), { maxRetries: 3 })
    notebook.check(
      shared.calls === 1 && shared.answer.error === undefined && shared.answer.attempts >= 2,
      `with idem: ${upstream(shared.calls)}, ${nameOf(shared.answer)} at attempt ${shared.answer.attempts}`,
    )

    const prompt = newPrompt('why not wait?', LATE_ANSWER_MS)
    const hasty = await ask(prompt, { maxRetries: 0 })
    const tookMs = (hasty.answer.endedAt ?? Number.POSITIVE_INFINITY) - hasty.answer.startedAt
    notebook.check(
      isTimeout(hasty.answer) && tookMs < LATE_ANSWER_MS,
      `with idem and no retries: ${nameOf(hasty.answer)} after ${tookMs.toFixed(0)} ms`,
    )
    await lab.journal.until('the call to finish', () => lab.journal.callsFor(prompt)[0]?.end !== undefined)
    const later = await lab.ask({ prompt }, 1).answered
    const more = lab.journal.callsFor(prompt).length - 1
    notebook.check(
      later.error === undefined && more === 0,
      `its call finished all the same: asking again costs ${more} calls`,
    )
  },
}

function isTimeout(answer: RequestRow): boolean {
  return nameOf(answer) === 'APIConnectionTimeoutError'
}

/** `success`, or the name of the error. */
function nameOf({ error }: RequestRow): string {
  return error === undefined ? 'success' : (error.split(':')[0] ?? error)
}
