import type { Stats } from '@idem/core'
import type { Worker } from '@idem/testing'
import { ms, percentile } from '../figures.js'
import { startProcesses, stopProcesses } from '../processes.js'
import { type Scenario, sameness, upstream as upstreamCalls } from '../scenario.js'
import { PIECES, slowStream } from '../streams.js'
import type { StreamReport } from '../worker.js'

const ABOUT = 'is it too late to join?'
const WARM_UP_ROUNDS = 5

export const lateJoiner: Scenario = {
  name: 'late joiner',
  what: 'one process streams an answer; half-way, a second one asks the same',
  needs: 'redis and provider',
  async run({ upstream, provider, redis }, notebook) {
    if (!redis || !provider) return
    const workers = await startProcesses(2, upstream, redis)
    const [owner, joiner] = workers
    try {
      const stream = (worker: Worker, about: string) => worker.call<StreamReport>('stream', about)
      // Some short streams come first, so that the lag is not the time Node takes to compile.
      provider.reply({ chunkDelayMs: 2 })
      for (let round = 0; round < WARM_UP_ROUNDS; round++)
        await Promise.all(workers.map((worker) => stream(worker, `is everybody there? (${round})`)))
      const stats = () => Promise.all(workers.map((worker) => worker.call<Stats>('stats')))
      const before = await stats()

      provider.reset()
      provider.reply((_, call) => slowStream(call))
      const halfWay = new Promise<void>((resolve) => {
        owner!.on<number>('pieces', (count) => count >= PIECES / 2 && resolve())
      })
      const owned = stream(owner!, ABOUT)
      await Promise.race([halfWay, owned])
      const reports = await Promise.all([owned, stream(joiner!, ABOUT)])
      notebook.check(provider.calls === 1, upstreamCalls(provider.calls))
      const texts = reports.map(({ text }) => text)
      notebook.check(new Set(texts).size === 1, sameness(texts))

      const { backlog, live } = compared(...reports)
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
      const after = await stats()
      after.forEach((one, index) => {
        notebook.count(one, before[index])
      })
    } finally {
      await stopProcesses(workers)
    }
  },
}

/** What the owner had when the joiner asked, and what came after; a piece is known by the length of the text up to it. */
function compared(owner: StreamReport, joiner: StreamReport) {
  const all = [...owner.arrivals]
  const live = all.filter(([, at]) => at > joiner.askedAt)
  const [length, hadAt] = all[all.length - live.length - 1] ?? [0, owner.askedAt]
  const joinedAt = joiner.arrivals.get(length)
  const [, endedAt] = all.at(-1) ?? [0, 0n]
  const times = live.flatMap(([length, at]) => {
    const there = joiner.arrivals.get(length)
    return there === undefined ? [] : [{ at, there }]
  })
  return {
    backlog: {
      length,
      ownerTookMs: ms(hadAt - owner.askedAt),
      tookMs: joinedAt === undefined ? Number.POSITIVE_INFINITY : ms(joinedAt - joiner.askedAt),
    },
    live: {
      pieces: live.length,
      inTime: times.filter(({ there }) => there < endedAt).length,
      lags: times.map(({ at, there }) => ms(there - at)),
    },
  }
}
