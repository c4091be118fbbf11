import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { InvalidArgumentError } from './errors/invalid-argument-error.js'
import type { StoreError } from './errors/store-error.js'
import type { Usage } from './usage/usage.js'

/** How one call ended, as its caller saw it. */
export interface CallEvent {
  /** Where the call came in: `run`, `messages`, … */
  readonly door: string
  /** What the store knows the request by, a digest: the `key` of `Cache-Status`. Absent where it was bypassed. */
  readonly key?: string
  /** `bypassed`: it asked not to be shared, or could not be told apart safely. */
  readonly outcome: 'executed' | 'replayed' | 'collapsed' | 'bypassed'
  /** Whether it was an SDK's further try of a call it had made before. */
  readonly isRetry: boolean
  /** The model that answered, where the dialect knows it. */
  readonly model?: string
  /** What the answer used. Not paid for by this caller unless it was executed. */
  readonly usage?: Usage
  /** What that costs at list prices; absent for a model without a known price. */
  readonly dollars?: number
}

/** What an idem tells about, for logs, statistics and traces. Never a prompt, an answer or a credential. */
export interface IdemEvents {
  /** A call ended with an answer. */
  call: CallEvent
  /** An execution went on without the store, because of this. */
  failedOpen: { readonly error: StoreError }
  /** An execution was overtaken by another one of the same request. */
  superseded: { readonly key: string }
  /** The same, when callers had bytes of it already: they got the rest of theirs, others the answer that stands. */
  diverged: { readonly key: string }
  /** A call was cancelled, since nobody waited for it any more. */
  cancelled: { readonly key: string }
  /** What the logger is warned of too; each topic once. */
  warning: { readonly topic: string; readonly message: string }
}

/** A place for lines, compatible with `console`. */
export interface Logger {
  /** What should not be, each kind once. */
  warn(message: string): void
  /** A line for each call that was not paid for. */
  info?(message: string): void
  /** Which layer did the work, where there are two. */
  debug?(message: string): void
}

type Listener<Name extends keyof IdemEvents> = (event: IdemEvents[Name]) => unknown

/** Names of the diagnostics channels (`node:diagnostics_channel`): one an event, for all idems of the process. */
const CHANNELS = {
  call: channel('idem:call'),
  failedOpen: channel('idem:failedOpen'),
  superseded: channel('idem:superseded'),
  diverged: channel('idem:diverged'),
  cancelled: channel('idem:cancelled'),
  warning: channel('idem:warning'),
} as const

/** The one way out for what happens: listeners, diagnostics channels and the logger hear all of it from here. */
export class Events {
  readonly #logger: Logger
  readonly #emitter = new EventEmitter()
  readonly #warned = new Set<string>()

  constructor(logger: Logger) {
    this.#logger = logger
    // Listeners are the application's business, however many.
    this.#emitter.setMaxListeners(0)
  }

  emit<Name extends keyof IdemEvents>(name: Name, event: IdemEvents[Name]): void {
    this.#emitter.emit(name, event)
    const published = CHANNELS[name]
    if (published.hasSubscribers) published.publish(event)
  }

  /** @returns a function that ends it */
  on<Name extends keyof IdemEvents>(name: Name, listener: Listener<Name>): () => void {
    if (!Object.hasOwn(CHANNELS, name)) {
      throw new InvalidArgumentError(
        `on: there is no event '${name}'. Known: ${Object.keys(CHANNELS).join(', ')}.`,
      )
    }
    const guarded = async (event: IdemEvents[Name]) => {
      try {
        await listener(event)
      } catch {
        this.warn('listener', `A listener of '${name}' failed. Calls go on.`)
      }
    }
    this.#emitter.on(name, guarded)
    return () => void this.#emitter.off(name, guarded)
  }

  warn(topic: string, message: string): void {
    if (this.#warned.has(topic)) return
    this.#warned.add(topic)
    this.log('warn', message)
    this.emit('warning', { topic, message })
  }

  log(level: keyof Logger, message: string): void {
    try {
      this.#logger[level]?.(`idem: ${message}`)
    } catch {
      // A logger that fails must not fail a call.
    }
  }
}
