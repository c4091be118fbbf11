import { createCaller } from '../client.js'
import { type Scenario, upstream as upstreamCalls } from '../scenario.js'
import { PIECES, slowStream, streamedText } from '../streams.js'

const ABOUT = 'what becomes of an answer when its tab is closed?'
/** Half of a slow stream; how long an answer of the real API will be, nobody knows. */
const CLOSED_AFTER = { bundled: PIECES / 2, api: 1 }
/** It asks again when the provider has sent this piece, to nobody. */
const SENT_TO_NOBODY = CLOSED_AFTER.bundled + 20

export const tabClosed: Scenario = {
  name: 'tab closed',
  what: 'a caller closes its stream in the middle, and asks again',
  async run({ upstream, provider, redis }, notebook) {
    provider?.reset()
    const wentOn = new Promise<void>((resolve) => {
      const beforeChunk = (index: number) => void (index === SENT_TO_NOBODY && resolve())
      provider?.reply((_, call) => ({ ...slowStream(call), beforeChunk }))
    })
    const caller = createCaller(upstream, redis)
    try {
      let [seen, pieces] = ['', 0]
      for await (const piece of streamedText(caller.client(), ABOUT)) {
        seen += piece
        if (++pieces === CLOSED_AFTER[provider ? 'bundled' : 'api']) break
      }
      if (provider) await Promise.race([wentOn, provider.requests[0]?.done])

      const askedAt = performance.now()
      let [whole, caughtUpMs] = ['', 0]
      for await (const piece of streamedText(caller.client(), ABOUT)) {
        whole += piece
        if (whole.length <= seen.length) caughtUpMs = performance.now() - askedAt
      }
      const lastMs = performance.now() - askedAt
      notebook.check(caller.upstreamCalls === 1, upstreamCalls(caller.upstreamCalls))
      const isWhole = whole.startsWith(seen) && whole.length > seen.length
      const again = isWhole ? `all ${whole.length}` : 'another answer'
      notebook.check(isWhole, `closed after ${seen.length} characters; asking again gave ${again}`)
      if (isWhole)
        notebook.note(
          `asked again, it had those ${seen.length} after ${caughtUpMs.toFixed(0)} ms, the last after ${lastMs.toFixed(0)} ms`,
        )
      notebook.count(caller.idem.stats())
    } finally {
      await caller.close()
    }
  },
}
