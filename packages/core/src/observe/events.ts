import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { InvalidArgumentError } from '../errors/caller-errors.js'
import type { StoreError } from '../errors/store-errors.js'
import type { Usage } from './usage.js'

/** How one call ended, as its caller saw it. */
export interface CallEvent {
  /** Where the call came in: `run`, `messages`, … */
  readonly door: string
  /** What the store knows the request by, a digest: the `key` of `Cache-Status`. Absent where it was bypassed. */
  readonly digest?: string
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
  superseded: { readonly digest: string }
  /**
   * The same, when callers had bytes of it already: those got the rest of their answer, all others the one that stands.
   */
  diverged: { readonly digest: string }
  /**
   * An execution lost its lock: another owner has it, or it could not be renewed for a whole lease. The execution goes
   * on; another one of the same request may run beside it.
   */
  lockLost: { readonly digest: string }
  /** A call was cancelled, since nobody waited for it any more. */
  cancelled: { readonly digest: string }
  /** What the logger is warned of too; each topic once. */
  warning: { readonly topic: string; readonly message: string }
}

/** A place for lines, compatible with `console`. */
export interface Logger {
  /** Takes warnings, each kind once. */
  warn(message: string): void
  /** Takes a line for each call that was not paid for. */
  info?(message: string): void
  /** Takes a line about which layer did the work, where there are two. */
  debug?(message: string): void
}

type Listener<Name extends keyof IdemEvents> = (event: IdemEvents[Name]) => unknown

/** Names of the diagnostics channels (`node:diagnostics_channel`): one an event, for all idems of the process. */
const CHANNELS = {
  call: channel('idem:call'),
  failedOpen: channel('idem:failedOpen'),
  superseded: channel('idem:superseded'),
  diverged: channel('idem:diverged'),
  lockLost: channel('idem:lockLost'),
  cancelled: channel('idem:cancelled'),
  warning: channel('idem:warning'),
} as const

/** How many causes of one topic are told: texts that differ each time must not fill a log. */
const MOST_CAUSES = 20

/** Hears every event, as core itself does: it never fails. */
export type Hearing = <Name extends keyof IdemEvents>(name: Name, event: IdemEvents[Name]) => void

/** The only way out for events: listeners, diagnostics channels and the logger all get them from here. */
export class Events {
  readonly #logger: Logger
  readonly #hearings: Hearing[] = []
  readonly #emitter = new EventEmitter()
  readonly #warned = new Map<string, Set<string>>()

  constructor(logger: Logger) {
    this.#logger = logger
    // Any number of listeners is the application's choice: no warning of Node about it.
    this.#emitter.setMaxListeners(0)
  }

  emit<Name extends keyof IdemEvents>(name: Name, event: IdemEvents[Name]): void {
    for (const heard of this.#hearings) heard(name, event)
    this.#emitter.emit(name, event)
    const published = CHANNELS[name]
    if (published.hasSubscribers) published.publish(event)
  }

  /** For core's own: called directly and first, for as long as the idem lives. */
  hear(heard: Hearing): void {
    this.#hearings.push(heard)
  }

  /** @returns a function that ends it */
  on<Name extends keyof IdemEvents>(name: Name, listener: Listener<Name>): () => void {
    if (!Object.hasOwn(CHANNELS, name)) {
      throw new InvalidArgumentError(
        `on: there is no event '${name}'. Known: ${Object.keys(CHANNELS).join(', ')}.`,
      )
    }
    const guarded = (event: IdemEvents[Name]) =>
      void isolated(
        () => listener(event),
        () => this.warn('listener', `A listener of '${name}' failed. Calls go on.`),
      )
    this.#emitter.on(name, guarded)
    return () => void this.#emitter.off(name, guarded)
  }

  /** Warns once of each topic, or once of each of its causes. */
  warn(topic: string, message: string, cause = ''): void {
    const told = this.#warned.get(topic) ?? new Set()
    if (told.has(cause) || told.size >= MOST_CAUSES) return
    this.#warned.set(topic, told.add(cause))
    this.log('warn', message)
    this.emit('warning', { topic, message })
  }

  /** Whether the logger takes such lines. One whose getter throws does not. */
  takes(level: keyof Logger): boolean {
    try {
      return this.#logger[level] !== undefined
    } catch {
      return false
    }
  }

  log(level: keyof Logger, message: string): void {
    void isolated(() => this.#logger[level]?.(`idem: ${message}`))
  }
}

/** Runs code of the application. Whatever it throws, now or in a promise it returns, ends here. Never rejects. */
async function isolated(run: () => unknown, onFailure = () => {}): Promise<void> {
  try {
    await run()
  } catch {
    onFailure()
  }
}

/**
 * Warns of a refusal by the store, once for each name: its message says what to change. Of a client that was closed it
 * warns only when a call goes on without it: the application is probably ending.
 */
export function tellRefusal(events: Events, { refused, message }: StoreError): void {
  if (refused === 'closed') return
  events.warn(
    `refused-${refused}`,
    `${message} Until that is mended, what needs it is not shared, or is rejected with ifStoreFails: 'reject'.`,
  )
}

/** Warns that the second connection, on which hints arrive, cannot be had. */
export function tellNoHints(events: Events, error: unknown): void {
  const { message } = Object(error) as Partial<Error>
  events.warn(
    'no-hints',
    `Hints of the store cannot be had (${message ?? 'no reason was given'}). Callers that wait for another process look ` +
      'every 500 ms instead. The store opens a second connection for hints: see that the server allows one more for each process.',
  )
}

/** Reports an execution that goes on without the store. */
export function tellFailedOpen(events: Events, error: StoreError): void {
  events.emit('failedOpen', { error })
  if (error.refused !== undefined && error.refused !== 'closed') {
    tellRefusal(events, error)
    return
  }
  const { cause, message } = error
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : message
  events.warn(
    'failed-open',
    `The store cannot be reached (${reason}). Calls go on, shared in this process only.`,
  )
}

/** The symbol under which an idem carries its logger. Registered by name, so that any copy of this package finds it. */
export const WARN: unique symbol = Symbol.for('idem.warn') as never

/** How packages that put idem below an SDK warn. */
export interface Warnable {
  readonly [WARN]?: Events['warn']
}

/** The same object, which the packages that put idem below an SDK can warn through. */
export function warnable<T extends object>(idem: T, events: Events): T {
  const warn: Events['warn'] = (...warning) => events.warn(...warning)
  return Object.defineProperty(idem, WARN, { value: warn })
}
