import { serveWorker } from '@idem/testing'
import { createCaller, question } from './client.js'
import { streamedText } from './streams.js'

// A process of the demo, driven by the main one: it has an idem of its own and shares nothing but Redis.
const { DEMO_UPSTREAM_URL, DEMO_REDIS_URL = '', DEMO_PREFIX = '', DEMO_LEASE_MS } = process.env
const caller = createCaller(
  { url: DEMO_UPSTREAM_URL },
  { url: DEMO_REDIS_URL, prefix: DEMO_PREFIX },
  DEMO_LEASE_MS === undefined ? undefined : Number(DEMO_LEASE_MS),
)

/** What one process saw of a storm of identical calls. */
export interface StormReport {
  readonly texts: string[]
  readonly upstreamCalls: number
  /** When the provider's answer arrived here; 0 where another process had it. `process.hrtime`, ns. */
  readonly answeredAt: bigint
  /** When each caller had its answer. `process.hrtime`, ns. */
  readonly arrivals: bigint[]
}

/** What one process saw of a stream. */
export interface StreamReport {
  readonly text: string
  /** `process.hrtime`, ns. */
  readonly askedAt: bigint
  /** When the caller had the text up to each length. `process.hrtime`, ns. */
  readonly arrivals: ReadonlyMap<number, bigint>
}

const server = serveWorker({
  async storm(about: string, callers: number): Promise<StormReport> {
    const client = caller.client()
    const before = caller.upstreamCalls
    const arrivals: bigint[] = []
    const call = async () => {
      const message = await client.messages.create(question(about))
      arrivals.push(process.hrtime.bigint())
      return JSON.stringify(message.content)
    }
    const texts = await Promise.all(Array.from({ length: callers }, call))
    const upstreamCalls = caller.upstreamCalls - before
    return { texts, upstreamCalls, answeredAt: upstreamCalls > 0 ? caller.answeredAt : 0n, arrivals }
  },
  /** Tells how many pieces have come, as they come. */
  async stream(about: string): Promise<StreamReport> {
    const askedAt = process.hrtime.bigint()
    const arrivals = new Map<number, bigint>()
    let text = ''
    for await (const piece of streamedText(caller.client(), about)) {
      text += piece
      arrivals.set(text.length, process.hrtime.bigint())
      server.emit('pieces', arrivals.size)
    }
    return { text, askedAt, arrivals }
  },
  stats: () => caller.idem.stats(),
  close: () => caller.close(),
})
