import type { CallRow, Question, RequestRow } from './rows.js'

// The messages to a worker process, and its events while it answers.

/** A question, and how to ask it. */
export interface Ask extends Question {
  readonly id: number
  /** The SDK without idem. @default false */
  readonly isPlain?: boolean
  /** @default the SDK's */
  readonly timeoutMs?: number
  /** @default the SDK's */
  readonly maxRetries?: number
}

/** The changed members of a request's row. */
export interface AskNews extends Partial<Omit<RequestRow, 'id' | 'worker' | 'text' | 'backlog'>> {
  readonly id: number
  /** The next part of its text, and when it came. */
  readonly piece?: { readonly text: string; readonly at: number }
}

/** The changed members of a call's row. */
export type CallNews = Omit<CallRow, 'worker'>

/** A worker's store locked, found or wrote something. */
export interface StoreNews {
  readonly key: string
  readonly owner: string
  /** `waits`: another one holds the lock. */
  readonly state: 'locked' | 'stored' | 'waits'
  /** The request it did so for. */
  readonly request: number | undefined
  readonly at: number
  /** The ttl of the record, if one was stored. */
  readonly ttlMs?: number
}

/** What a worker tells, by the name of the event. */
export interface WorkerEvents {
  ask: AskNews
  call: CallNews
  store: StoreNews
}

/** Tells one of them. */
export type Tell = <Name extends keyof WorkerEvents>(event: Name, news: WorkerEvents[Name]) => void
