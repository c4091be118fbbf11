import { now } from '../../shared/clock.js'
import { type Scenario, upstream } from '../scenario.js'
import { PIECES, slowStream } from './slow-stream.js'

/** Half of a slow stream. The length of an answer of the real API is not known. */
const CLOSED_AFTER = { bundled: PIECES / 2, api: 1 }
/** The question is asked again when the model has sent this piece and nobody was listening. */
const SENT_TO_NOBODY = CLOSED_AFTER.bundled + 20

export const tabClosed: Scenario = {
  name: 'tab closed',
  kind: 'share',
  button: 'Close the tab',
  what: 'a caller closes its stream in the middle, and asks again',
  expect: 'The call goes on: asking again brings what was missed at once, and the rest as it comes.',
  async run(lab, notebook) {
    const { journal, model } = lab
    const prompt = lab.newPrompt('what becomes of an answer when its tab is closed?')
    const wentOn = new Promise<void>((resolve) => {
      const beforeChunk = (index: number) => void (index === SENT_TO_NOBODY && resolve())
      model?.script(prompt, (call) => ({ ...slowStream(call), beforeChunk }))
    })
    const first = lab.ask({ prompt, stream: true }, 1)
    const pieces = CLOSED_AFTER[model ? 'bundled' : 'api']
    await Promise.race([
      journal.until('the first pieces', () => journal.arrivals(first.id).size >= pieces),
      first.answered,
    ])
    await lab.leave(first)
    const { text: seen } = await first.answered
    const isOver = () => journal.callsFor(prompt)[0]?.end !== undefined
    if (model) await Promise.race([wentOn, journal.until('the end of the call', isOver)])

    const askedAt = now()
    const again = lab.ask({ prompt, stream: true }, 1)
    const { text: whole, error } = await again.answered
    const calls = journal.callsFor(prompt).length
    notebook.check(calls === 1, upstream(calls))
    const isWhole = whole.startsWith(seen) && error === undefined
    const gave = isWhole ? `all ${whole.length}` : 'another answer'
    notebook.check(isWhole, `closed after ${seen.length} characters; asking again gave ${gave}`)
    if (!isWhole) return
    const arrivals = [...journal.arrivals(again.id)]
    const caughtUpAt = arrivals.find(([length]) => length >= seen.length)?.[1] ?? askedAt
    const lastAt = arrivals.at(-1)?.[1] ?? askedAt
    notebook.note(
      `asked again, it had those ${seen.length} after ${(caughtUpAt - askedAt).toFixed(0)} ms, the last after ${(lastAt - askedAt).toFixed(0)} ms`,
    )
  },
}
