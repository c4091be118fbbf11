import type { RequestRow } from '../../shared/rows.js'
import { percentile } from '../figures.js'
import type { Arrivals } from '../journal.js'
import { areSame, type Scenario, sameness, upstream } from '../scenario.js'
import { PIECES, slowStream } from './slow-stream.js'

const WARM_UP_ROUNDS = 5

export const lateJoiner: Scenario = {
  name: 'late joiner',
  kind: 'share',
  button: 'Join late',
  what: 'one process streams an answer; half-way, a second one asks the same',
  expect: 'The second has the first half at once and follows live, without a call of its own.',
  needs: ['processes', 'model'],
  async run(lab, notebook) {
    const { journal, model } = lab
    // Some short streams come first, so that the lag is not the time Node takes to compile.
    for (let round = 0; round < WARM_UP_ROUNDS; round++) {
      const prompt = lab.newPrompt('is everybody there?')
      model?.script(prompt, () => ({ latencyMs: 0, chunkDelayMs: 2 }))
      await Promise.all([1, 2].map((worker) => lab.ask({ prompt, stream: true }, worker).answered))
    }
    notebook.begin()
    const prompt = lab.newPrompt('is it too late to join?')
    model?.script(prompt, slowStream)
    const owner = lab.ask({ prompt, stream: true }, 1)
    await journal.until('half of the stream', () => journal.arrivals(owner.id).size >= PIECES / 2)
    const joiner = lab.ask({ prompt, stream: true }, 2)
    const answers = await Promise.all([owner.answered, joiner.answered])
    const calls = journal.callsFor(prompt).length
    notebook.check(calls === 1, upstream(calls))
    notebook.check(areSame(answers), sameness(answers))

    const seenOf = (row: RequestRow) => ({ askedAt: row.startedAt, arrivals: journal.arrivals(row.id) })
    const { backlog, live } = compared(seenOf(answers[0]), seenOf(answers[1]))
    notebook.check(
      backlog.tookMs < backlog.ownerTookMs / 2,
      `the second had the first ${backlog.length} characters ${backlog.tookMs.toFixed(0)} ms after it asked; they had taken ${backlog.ownerTookMs.toFixed(0)} ms to come`,
    )
    notebook.check(
      live.inTime > live.pieces / 2,
      `it followed live: ${live.inTime} of the other ${live.pieces} pieces were there before the first process had the last`,
    )
    notebook.note(
      `lag of ${live.lags.length} live pieces, from caller to caller: ${percentile(50, live.lags)}, ${percentile(99, live.lags)}`,
    )
    notebook.note('idem sends together what comes within 20 ms (liveBatchMs)')
  },
}

/** What one caller saw of a stream. */
interface Seen {
  readonly askedAt: number
  readonly arrivals: Arrivals
}

/** What the owner had when the joiner asked, and what came after; a piece is known by the length of the text up to it. */
function compared(owner: Seen, joiner: Seen) {
  const all = [...owner.arrivals]
  const live = all.filter(([, at]) => at > joiner.askedAt)
  const [length, hadAt] = all[all.length - live.length - 1] ?? [0, owner.askedAt]
  const joinedAt = joiner.arrivals.get(length)
  const [, endedAt] = all.at(-1) ?? [0, 0]
  const times = live.flatMap(([length, at]) => {
    const there = joiner.arrivals.get(length)
    return there === undefined ? [] : [{ at, there }]
  })
  return {
    backlog: {
      length,
      ownerTookMs: hadAt - owner.askedAt,
      tookMs: joinedAt === undefined ? Number.POSITIVE_INFINITY : joinedAt - joiner.askedAt,
    },
    live: {
      pieces: live.length,
      inTime: times.filter(({ there }) => there < endedAt).length,
      lags: times.map(({ at, there }) => there - at),
    },
  }
}
