import { finished } from 'node:stream/promises'
import { Anthropic, APIError, type Middleware } from '@anthropic-ai/sdk'
import { idempotency } from '@idem/anthropic'
import type { Idem } from '@idem/core'
import { now } from '../shared/clock.js'
import type { Outcome } from '../shared/rows.js'
import type { Ask, Tell } from '../shared/worker-events.js'
import { asking } from './asking.js'

/** How long an answer may be, in tokens: enough to watch it come, cheap on the real API. */
const MAX_TOKENS = 256

/** How long an answer, or its beginning, may take, ms: a silent model must not keep a scenario running for ever. */
const ANSWER_MS = 30_000

/** The response headers that are shown. Request headers never are: they have the credential. */
const SHOWN = ['cache-status', 'age', 'request-id', 'content-type', 'retry-after']

/** One process's client: the Anthropic SDK with idem below it, and beside it the SDK alone. */
export class Caller {
  readonly #tell: Tell
  readonly #shared: Anthropic
  readonly #plain: Anthropic
  readonly #leaving = new Map<number, AbortController>()
  #calls = 0

  /** @param baseURL of the model; undefined for the API the SDK knows, with the key of the environment */
  constructor(baseURL: string | undefined, idem: Idem, tell: Tell) {
    this.#tell = tell
    const api = { timeout: ANSWER_MS, ...(baseURL !== undefined && { baseURL, apiKey: 'demo' }) }
    // Tries are counted above idem, calls to the provider below it.
    this.#shared = new Anthropic({ ...api, middleware: [this.#tries, idempotency(idem), this.#upstream] })
    this.#plain = new Anthropic({ ...api, middleware: [this.#tries, this.#upstream] })
  }

  /** Makes a request, and reports its parts as they come. Never rejects: an error is one way for a request to end. */
  async ask(ask: Ask): Promise<void> {
    const { id } = ask
    const leaving = new AbortController()
    this.#leaving.set(id, leaving)
    const counts = { id, attempts: 0 }
    try {
      await asking.run(counts, () => this.#answer(ask, leaving.signal))
      this.#tell('ask', { id, endedAt: now(), attempts: counts.attempts })
    } catch (error) {
      this.#tell('ask', { id, endedAt: now(), attempts: counts.attempts, ...failureOf(error) })
    } finally {
      this.#leaving.delete(id)
    }
  }

  /** Ends the wait of one request, as a closed tab does. */
  leave(id: number): void {
    this.#leaving.get(id)?.abort()
  }

  async #answer(
    { id, isPlain, timeoutMs, maxRetries, ...question }: Ask,
    signal: AbortSignal,
  ): Promise<void> {
    const { messages } = isPlain ? this.#plain : this.#shared
    const { prompt, model, stream, ttl, bypass } = question
    const request = { model, max_tokens: MAX_TOKENS, messages: [{ role: 'user' as const, content: prompt }] }
    const options = {
      signal,
      ...(timeoutMs !== undefined && { timeout: timeoutMs }),
      ...(maxRetries !== undefined && { maxRetries }),
      idem: { ttl, bypass },
    }
    const begin = (response: Response) =>
      this.#tell('ask', { id, begunAt: now(), status: response.status, ...shownOf(response.headers) })
    if (!stream) {
      const { data, response } = await messages.create(request, options).withResponse()
      begin(response)
      const text = data.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
      this.#tell('ask', { id, answerId: data.id, piece: { text, at: now() } })
      return
    }
    const { data, response } = await messages.create({ ...request, stream: true }, options).withResponse()
    begin(response)
    let isWhole = false
    for await (const event of data) {
      if (event.type === 'message_start') this.#tell('ask', { id, answerId: event.message.id })
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
        this.#tell('ask', { id, piece: { text: event.delta.text, at: now() } })
      isWhole ||= event.type === 'message_stop'
    }
    if (signal.aborted) throw new Error('It was left by its caller.')
    if (!isWhole) throw new Error('The stream ended before the answer did.')
  }

  readonly #tries: Middleware = (request, next) => {
    const counts = asking.getStore()
    if (counts) counts.attempts++
    return next(request)
  }

  readonly #upstream: Middleware = async (request, next) => {
    // Set by the request that makes the call: callers that join it make none.
    const call = {
      id: `${process.pid}.${++this.#calls}`,
      request: asking.getStore()?.id ?? 0,
      startedAt: now(),
    }
    this.#tell('call', call)
    try {
      const response = await next(request)
      const { status } = response
      this.#tell('call', { ...call, status })
      const ended = (end: 'whole' | 'broken') => this.#tell('call', { ...call, status, endedAt: now(), end })
      if (!response.body) ended('whole')
      // Node accepts web streams here; its types do not yet.
      else
        finished(response.body as unknown as NodeJS.ReadableStream).then(
          () => ended('whole'),
          () => ended('broken'),
        )
      return response
    } catch (error) {
      this.#tell('call', { ...call, endedAt: now(), end: 'broken' })
      throw error
    }
  }
}

function shownOf(headers: Headers) {
  const shown = SHOWN.flatMap((name) => {
    const value = headers.get(name)
    return value === null ? [] : [[name, value]]
  })
  return { outcome: outcomeOf(headers.get('cache-status')), headers: Object.fromEntries(shown) }
}

/** By RFC 9211 each cache on the way adds a member: ours is the one named idem. */
function outcomeOf(cacheStatus: string | null): Outcome {
  const ours = cacheStatus?.split(/, */).findLast((member) => member.startsWith('idem;'))
  if (ours === undefined) return 'bypassed'
  if (/; hit\b/.test(ours)) return 'replayed'
  return /; collapsed\b/.test(ours) ? 'collapsed' : 'executed'
}

function failureOf(error: unknown) {
  if (!(error instanceof Error)) return { error: String(error) }
  const shown =
    error instanceof APIError && error.headers ? { status: error.status, ...shownOf(error.headers) } : {}
  return { error: `${error.constructor.name}: ${error.message}`, ...shown }
}
