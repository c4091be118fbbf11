import type { Asked } from '../lab.js'
import { type Scenario, upstream } from '../scenario.js'
import { PIECES, slowStream } from './slow-stream.js'

const CALLERS = 4
/** The model goes on from here when everybody has a part of the stream, so that the drop reaches all of them. */
const HELD_AT = PIECES / 4

export const droppedStream: Scenario = {
  name: 'dropped stream',
  kind: 'break',
  button: 'Drop the stream',
  what: `the model drops the stream that ${CALLERS} callers share half-way`,
  expect:
    'Everybody is told, nobody takes half an answer for a whole one, and nothing is stored: asking again brings a whole one.',
  needs: ['model'],
  async run(lab, notebook) {
    const { journal, model } = lab
    const prompt = lab.newPrompt('what is half an answer?')
    let asked: readonly Asked[] = []
    const haveSome = () => asked.every(({ id }) => journal.arrivals(id).size > 0)
    const beforeChunk = (index: number) => index === HELD_AT && journal.until('a part for each', haveSome)
    model?.script(prompt, (call) => ({
      ...slowStream(call),
      ...(call === 0 && { drop: 'mid-body' as const, beforeChunk }),
    }))
    asked = Array.from({ length: CALLERS }, () => lab.ask({ prompt, stream: true }))
    const broken = await Promise.all(asked.map(({ answered }) => answered))
    const told = broken.filter(({ error, text }) => error !== undefined && text.length > 0).length
    notebook.check(told === CALLERS, `${told} of ${CALLERS} callers got a part of it and then an error`)
    const again = await lab.ask({ prompt, stream: true }).answered
    const calls = journal.callsFor(prompt).length
    const pieces = again.text.split(' ').length
    notebook.check(
      again.error === undefined && pieces === PIECES && calls === 2,
      `asking again: ${pieces} of ${PIECES} pieces, ${upstream(calls)} in all`,
    )
  },
}
