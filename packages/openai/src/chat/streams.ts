import {
  type EventWatch,
  eventText,
  inspector,
  isObject,
  type ServerEvent,
  type StreamFormat,
} from '@idem/core/dialect'
import { errorIn, errorOf } from '../errors.js'
import { PING, readJson } from '../streams.js'
import { expand } from './expand.js'
import { fold } from './fold.js'

/** How the Chat Completions API streams: events without a name, and `[DONE]` as the last. */
export const chatStreams: StreamFormat = {
  inspect: () => inspector(new ChatWatch()),
  fold,
  expand,
  ping: PING,
  errorEvent: (body) => eventText('', JSON.stringify({ error: errorIn(body) })),
}

/** Some servers leave `[DONE]` out: a stream is complete when each choice has said why it ended. */
class ChatWatch implements EventWatch {
  readonly #finished = new Set<unknown>()
  readonly #running = new Set<unknown>()
  #hasEvents = false
  #isKnown = false

  endOf(event: ServerEvent): 'whole' | 'failed' | undefined {
    if (event.data.startsWith('[DONE]')) return 'whole'
    if (errorOf(event) !== undefined) return 'failed'
    this.#hasEvents = true
    const chunk = readJson(event.data)
    if (isObject(chunk) && Array.isArray(chunk.choices)) {
      this.#isKnown = true
      for (const choice of chunk.choices.filter(isObject)) this.#follow(choice.index, choice.finish_reason)
    }
    return undefined
  }

  isComplete(): boolean {
    if (!this.#isKnown) return this.#hasEvents
    return this.#finished.size > 0 && this.#running.size === 0
  }

  #follow(index: unknown, reason: unknown): void {
    if (reason) {
      this.#finished.add(index)
      this.#running.delete(index)
    } else if (!this.#finished.has(index)) this.#running.add(index)
  }
}
