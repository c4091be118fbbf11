import { Anthropic, type ClientOptions, type Middleware } from '@anthropic-ai/sdk'
import { idempotency } from '@idem/anthropic'
import { createIdem, type Idem } from '@idem/core'
import { ioredisStore } from '@idem/ioredis'
import { Redis } from 'ioredis'

/** Where the model is: the bundled provider, or the API of ANTHROPIC_API_KEY when `url` is undefined. */
export interface Upstream {
  readonly url: string | undefined
}

/** Where locks and records are. Without one, in this process. */
export interface SharedRedis {
  readonly url: string
  readonly prefix: string
}

/** Answers of the demo are kept as long as it runs, no longer: its keys leave Redis by themselves. */
const TTL_MS = 60_000

/** One process's way to the model: an idem, and SDK clients that count what they send. */
export interface Caller {
  readonly idem: Idem
  /** Requests that went on to the provider. */
  readonly upstreamCalls: number
  /** When the provider's last answer arrived, by `process.hrtime`, whose zero all processes of a machine share. */
  readonly answeredAt: bigint
  /** An SDK client that goes through idem. */
  client(options?: ClientOptions): Anthropic
  close(): Promise<void>
}

export function createCaller(upstream: Upstream, redis?: SharedRedis, leaseMs?: number): Caller {
  const connection = redis && new Redis(redis.url)
  // An outage is part of the demo; idem reports what it does about it.
  connection?.on('error', () => {})
  const idem = createIdem({
    ...(connection && { store: ioredisStore(connection, { prefix: redis?.prefix }) }),
    ...(leaseMs !== undefined && { leaseMs }),
    ttl: TTL_MS,
  })
  const seen = { upstreamCalls: 0, answeredAt: 0n }
  const counting: Middleware = async (request, next) => {
    seen.upstreamCalls++
    const response = await next(request)
    seen.answeredAt = process.hrtime.bigint()
    return response
  }
  return {
    idem,
    get upstreamCalls() {
      return seen.upstreamCalls
    },
    get answeredAt() {
      return seen.answeredAt
    },
    client: (options = {}) =>
      plainClient(upstream, {
        ...options,
        middleware: [...(options.middleware ?? []), idempotency(idem), counting],
      }),
    async close() {
      await idem.close()
      connection?.disconnect()
    },
  }
}

/** The SDK without idem. */
export function plainClient(upstream: Upstream, options: ClientOptions = {}): Anthropic {
  return new Anthropic(
    upstream.url === undefined ? options : { baseURL: upstream.url, apiKey: 'demo', ...options },
  )
}

/** A request of its own for each scenario, small enough to be cheap on the real API. */
export function question(about: string) {
  return {
    model: 'claude-haiku-4-5',
    max_tokens: 64,
    messages: [{ role: 'user' as const, content: `In one sentence: ${about}` }],
  }
}
