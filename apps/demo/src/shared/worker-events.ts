import type { CallRow, Question, RequestRow } from './rows.js'

// What a worker process is asked, and what it tells while it answers.

/** A question with how to ask it. */
export interface Ask extends Question {
  readonly id: number
  /** The SDK without idem. @default false */
  readonly isPlain?: boolean
  /** @default the SDK's */
  readonly timeoutMs?: number
  /** @default the SDK's */
  readonly maxRetries?: number
}

/** What is new about a request. */
export interface AskNews extends Partial<Omit<RequestRow, 'id' | 'worker' | 'text' | 'backlog'>> {
  readonly id: number
  /** What has come of its text, to be appended, and when. */
  readonly piece?: { readonly text: string; readonly at: number }
}

/** What is new about a call to the provider. */
export type CallNews = Omit<CallRow, 'worker'>

/** A worker's store found, got or wrote something. */
export interface StoreNews {
  readonly key: string
  readonly owner: string
  /** `waits`: another one holds the lock. */
  readonly state: 'locked' | 'stored' | 'waits'
  /** For whose request. */
  readonly request: number | undefined
  readonly at: number
  /** The record's, where it was stored. */
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
