import {
  type Provider,
  spawnWorker,
  startProvider,
  startRedis,
  type TestRedis,
  type Worker,
} from '@idem/testing'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'

/** A Redis and a provider for this file, and processes that stream over them. All end after each test. */
export function useStreamProcesses() {
  const workers: Worker[] = []
  const context = {
    /** One more process, with `options` of createIdem. */
    async spawn(options: object = {}, env: Record<string, string> = {}): Promise<Worker> {
      const { redis, provider } = context
      const worker = await spawnWorker(new URL('./stream-worker.mjs', import.meta.url), {
        env: {
          REDIS_URL: redis.url,
          PREFIX: redis.prefix,
          UPSTREAM_URL: provider.url,
          IDEM_OPTIONS: JSON.stringify(options),
          ...env,
        },
      })
      workers.push(worker)
      return worker
    },
  } as {
    redis: TestRedis
    provider: Provider
    spawn(options?: object, env?: Record<string, string>): Promise<Worker>
  }
  beforeAll(async () => {
    ;[context.redis, context.provider] = await Promise.all([startRedis(), startProvider()])
  })
  beforeEach(() => context.provider.reset())
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  })
  afterAll(() => Promise.all([context.redis.stop(), context.provider.stop()]))
  return context
}

export interface Read {
  text: string
  error?: { code?: string; name: string }
}

/** Reads a stream to its end; `has` resolves when the reader has this text. */
export function follow(worker: Worker, name: string) {
  let latest = ''
  const waiting: { text: string; resolve: () => void }[] = []
  worker.on('piece', (piece: { name: string; text: string }) => {
    if (piece.name !== name) return
    latest = piece.text
    for (const one of waiting) if (latest.includes(one.text)) one.resolve()
  })
  return {
    end: worker.call<Read>('read', name),
    has: (text: string) =>
      new Promise<void>((resolve) => {
        if (latest.includes(text)) resolve()
        else waiting.push({ text, resolve })
      }),
  }
}

/** The ids of the messages a text has bytes of. */
export const messagesIn = (text: string) => new Set(text.match(/msg_01[0-9a-f]+/g))

export const LAST = 'event: message_stop'
export const FIRST = 'event: content_block_delta'
