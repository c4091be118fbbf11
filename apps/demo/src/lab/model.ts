import { type Provider, type ReplyScript, startProvider } from '@idem/testing'

/** How the bundled model answers one prompt; calls are counted from zero for each. */
export type Script = (call: number) => ReplyScript

/** How many prompts and calls are remembered: more than any scenario has. */
const KEPT = 500

const ANSWERS = [
  'An operation is idempotent when doing it twice is the same as doing it once. A light switch that toggles is not; a switch that says "on" is. Retries, double clicks and replays are then harmless: the second request finds that the work is done, and is given the result of the first.',
  'A lock says who does the work, a lease says for how long that may be believed, and a record says what came of it. The first request takes the lock and makes the call. The others wait, for a word or for the next look, and all of them are given the very same bytes.',
  'Most duplicates come within seconds: a user clicks again because nothing moves, an SDK tries again because its time is over, a load balancer sends a request twice. Each of them would be a call of its own, with the same prompt, the same answer, and a price of its own.',
]

/** The bundled model: a real server on the real wire, which says something pleasant unless it is told otherwise. */
export class Model {
  readonly #provider: Provider
  readonly #scripts = new Map<string, { readonly script: Script; calls: number }>()
  #answers = 0

  private constructor(provider: Provider) {
    this.#provider = provider
    provider.reply((request) =>
      this.#reply(String(request.body?.messages?.[0]?.content), request.body?.stream),
    )
  }

  static async start(): Promise<Model> {
    return new Model(await startProvider({ keep: KEPT }))
  }

  get url(): string {
    return this.#provider.url
  }

  /** How calls for this prompt are answered from now on. */
  script(prompt: string, script: Script): void {
    this.#scripts.set(prompt, { script, calls: 0 })
    const [oldest = ''] = this.#scripts.keys()
    if (this.#scripts.size > KEPT) this.#scripts.delete(oldest)
  }

  async stop(): Promise<void> {
    await this.#provider.stop()
  }

  #reply(prompt: string, streams: unknown): ReplyScript {
    const scripted = this.#scripts.get(prompt)
    const answer = this.#answers++
    // The number comes first, so that two answers can be told apart at a glance.
    const text = `Answer ${answer + 1}. ${ANSWERS[answer % ANSWERS.length]}`
    const pace = streams ? { latencyMs: 300, chunkDelayMs: 50 } : { latencyMs: 1_500 }
    return { text, ...pace, ...scripted?.script(scripted.calls++) }
  }
}
