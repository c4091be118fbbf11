import type { FleetStats, Stats } from '@idem/core'
import type { Read } from '@idem/core/store'
import { ioredisStore } from '@idem/ioredis'
import type { Question, RequestRow } from '../shared/rows.js'
import { within } from '../shared/within.js'
import type { Ask } from '../shared/worker-events.js'
import { Journal } from './journal.js'
import { Keys } from './keys.js'
import { Model } from './model.js'
import { givenRedis, ownRedis, type SharedRedis } from './redis.js'
import { assertUsable, canStartRedis } from './usable-redis.js'
import { unavailable, Workers } from './workers.js'

/** Short, so that a takeover can be watched; longer than any stall of a busy machine. */
export const LEASE_MS = 4_000

/** How many workers there are when they can share. */
const PROCESSES = 4

/** Far more than a page can show. Longer prompts are refused. */
const MAX_RUNNING = 1_000

/** How long a worker may take to say what it knows, ms: a store that is gone takes a second of it. */
const SOON_MS = 3_000

/** All have a list price, so that dollars can be counted. */
export const MODELS = ['claude-haiku-4-5', 'claude-sonnet-5-5', 'claude-opus-5-5'] as const

/** A question, of which everything but the prompt has a default, and how to ask it. */
export type Asking = Pick<Question, 'prompt'> &
  Partial<Question> &
  Pick<Ask, 'isPlain' | 'timeoutMs' | 'maxRetries'>

/** A request under way. */
export interface Asked {
  readonly id: number
  readonly worker: number
  /** Never rejects: an error is a part of the row. */
  readonly answered: Promise<RequestRow>
}

/** Everything the demo runs: workers that share over Redis, a model, and a journal of what they do. */
export class Lab {
  readonly journal = new Journal()
  readonly keys: Keys
  readonly workers: Workers
  /** The bundled model, which can be told what to answer; undefined on the real API. */
  readonly model: Model | undefined
  /** Undefined where there is no Redis: one worker then keeps its records itself. */
  readonly redis: SharedRedis | undefined
  #asks = 0
  #prompts = 0

  private constructor(model: Model | undefined, redis: SharedRedis | undefined) {
    this.model = model
    this.redis = redis
    const store = redis && ioredisStore(redis.client, { prefix: redis.prefix })
    const read = (key: string) =>
      store ? store.read(key) : this.#soon<Read>(this.workers.any(), 'read', key)
    this.keys = new Keys(read, LEASE_MS)
    for (const event of ['ready', 'close']) redis?.client.on(event, () => this.journal.touch())
    this.workers = new Workers({
      count: redis ? PROCESSES : 1,
      env: {
        DEMO_UPSTREAM_URL: model?.url,
        DEMO_LEASE_MS: String(LEASE_MS),
        DEMO_REDIS_URL: redis?.url,
        DEMO_PREFIX: redis?.prefix,
      },
      heard: {
        ask: (_, news) => this.journal.heard(news),
        call: (worker, news) => this.journal.heardCall(news, worker),
        store: (worker, news) => {
          this.keys.heard(news, worker)
          this.journal.touch()
        },
      },
      lost: (worker) => this.journal.lost(worker),
      changed: () => this.journal.touch(),
    })
  }

  /**
   * @param redisUrl a Redis to share over, else a server of our own is started where there is one to start
   * @param isReal whether the real API is called, with the key of the environment
   * @throws an Error with a sentence that says what to do
   */
  static async start(redisUrl: string | undefined, isReal: boolean): Promise<Lab> {
    if (redisUrl) await assertUsable(redisUrl)
    const [model, redis] = await Promise.all([isReal ? undefined : Model.start(), redisOf(redisUrl)])
    const lab = new Lab(model, redis)
    await lab.workers.start()
    return lab
  }

  /** The parts it is made of, as text for people. */
  get shown(): { readonly store: string; readonly model: string } {
    const { model, redis } = this
    return {
      store:
        redis?.shown ??
        'the memory of one process (several share over Redis: install redis-server 7, or set REDIS_URL)',
      model: model
        ? 'a bundled one, which costs nothing (ANTHROPIC_API_KEY calls the real API)'
        : `the API at ${shownApi(process.env.ANTHROPIC_BASE_URL)}: calls are billed`,
    }
  }

  /** @param worker which one, from 1. By default the next in turn. */
  ask(asking: Asking, worker = this.workers.next()): Asked {
    if (this.journal.running >= MAX_RUNNING)
      throw unavailable(`${MAX_RUNNING} requests are running. Ask again when some of them are answered.`)
    const id = ++this.#asks
    const ask: Ask = { model: MODELS[0], stream: false, ttl: 'analysis', bypass: false, ...asking, id }
    const answered = this.journal.open(ask, worker)
    this.workers.call(worker, 'ask', ask).catch((error: Error) => this.journal.failed(id, error.message))
    return { id, worker, answered }
  }

  /** Makes so many of the same request at once, spread over the workers or all in one of them. */
  async askAll(count: number, asking: Asking, worker?: number): Promise<RequestRow[]> {
    return Promise.all(Array.from({ length: count }, () => this.ask(asking, worker).answered))
  }

  /** Ends a request's wait as a closed tab does. */
  async leave({ id, worker }: Asked): Promise<void> {
    await this.workers.call(worker, 'leave', id)
  }

  /** A prompt that nobody has asked yet, so that a scenario sees only its own calls. */
  newPrompt(question: string): string {
    return `In one sentence: ${question} (${++this.#prompts})`
  }

  async forget(digest: string): Promise<boolean> {
    return this.#soon<boolean>(this.workers.any(), 'forget', digest)
  }

  fleetStats(): Promise<FleetStats> {
    return this.#soon<FleetStats>(this.workers.any(), 'fleetStats')
  }

  /** What each worker that can answer now has done since it started. */
  async statsByWorker(): Promise<Map<number, Stats>> {
    const up = this.workers.rows.filter(({ state }) => state === 'up')
    const asked = up.map(async ({ number }) => [number, await this.#soon<Stats>(number, 'stats')] as const)
    const stats = await Promise.allSettled(asked)
    return new Map(stats.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])))
  }

  /** Makes Redis unreachable for the workers, until `resumeRedis`. */
  async interruptRedis(): Promise<void> {
    await this.redis?.interrupt()
    this.journal.touch()
  }

  async resumeRedis(): Promise<void> {
    await this.redis?.resume()
    this.journal.touch()
  }

  /** What a worker knows at once: one that hangs must not hold up the others. */
  #soon<T>(worker: number, method: string, ...args: unknown[]): Promise<T> {
    return within(SOON_MS, this.workers.call<T>(worker, method, ...args), () =>
      unavailable(`Worker ${worker} does not answer. Ask again when it does.`),
    )
  }

  /** Leaves no process, no port and no key behind. */
  async stop(): Promise<void> {
    await this.workers.stop()
    await Promise.all([this.model?.stop(), this.redis?.stop()])
  }
}

/** The host alone: any other part of the URL may hold a gateway's credential. */
function shownApi(url = 'https://api.anthropic.com'): string {
  return URL.canParse(url) ? new URL(url).host : 'ANTHROPIC_BASE_URL'
}

async function redisOf(url: string | undefined): Promise<SharedRedis | undefined> {
  if (url) return givenRedis(url)
  return (await canStartRedis()) ? ownRedis() : undefined
}
