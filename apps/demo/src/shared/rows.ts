import type { FleetStats, TtlName } from '@idem/core'

// What is known of a run of the demo, as plain JSON: the scenarios read it, and the page is sent it. Times called
// `…At` are ms of one clock for all processes of the machine (`clock.ts`).

/**
 * How many requests are remembered, by the server as by a page, more than any scenario makes. Of more, both forget the
 * oldest: a page that is loaded again tells what it told before.
 */
export const KEPT = 1_000

/** What somebody asks the model, and how. */
export interface Question {
  readonly prompt: string
  readonly model: string
  readonly stream: boolean
  readonly ttl: TtlName
  /** A call of its own, shared with nobody. */
  readonly bypass: boolean
}

/** How a request ended: whether it had an answer, not whether that was a good one. */
export type Outcome = 'executed' | 'collapsed' | 'replayed' | 'bypassed'

/** One request, from the click to the answer. */
export interface RequestRow extends Question {
  readonly id: number
  /** The process that serves it, from 1. */
  readonly worker: number
  readonly startedAt: number
  /** When its answer began, or came. */
  readonly begunAt?: number
  readonly endedAt?: number
  /** Known when its answer begins. */
  readonly outcome?: Outcome
  /** Why there is no answer, a sentence. */
  readonly error?: string
  readonly status?: number
  /** The headers of the answer that say what idem and the provider did. */
  readonly headers: Readonly<Record<string, string>>
  /** How often the SDK tried. */
  readonly attempts: number
  /** Asked through the SDK alone, without idem. */
  readonly isPlain?: boolean
  /** The text of the answer so far. A page is sent its end. */
  readonly text: string
  /** How many characters of the answer had come when a late joiner joined it. */
  readonly backlog?: number
  /** The provider's id of the answer: the same for all who share it. */
  readonly answerId?: string
}

/** One call to the provider. */
export interface CallRow {
  readonly id: string
  /** The request that made it. */
  readonly request: number
  readonly worker: number
  readonly startedAt: number
  readonly endedAt?: number
  readonly status?: number
  /** `broken`: its answer was cut off. `lost`: its process died. */
  readonly end?: 'whole' | 'broken' | 'lost'
}

/** One process that serves requests. */
export interface WorkerRow {
  readonly number: number
  readonly state: 'starting' | 'up' | 'paused'
  readonly pid?: number
}

/** A key that is locked or stored now. */
export interface KeyRow {
  /** The `key` of `Cache-Status`. */
  readonly digest: string
  readonly state: 'locked' | 'stored'
  /** The id of the execution that holds the lock or wrote the record. */
  readonly owner: string
  /** The process it ran in; absent where that is not known. */
  readonly worker?: number
  /** Since it was locked or stored. */
  readonly ageMs: number
  /** A record's life from now; a lock's lease, which is renewed as long as the call runs. */
  readonly ttlMs?: number
  /** Of the record. */
  readonly bytes?: number
}

/** What the whole fleet has done and saved so far. */
export interface SavingsPoint extends Pick<FleetStats, Outcome> {
  readonly at: number
  readonly tokens: number
  readonly dollars: number
}

/** A scenario that somebody started, and its progress. */
export interface RunRow {
  readonly name: string
  /** Its requests before this time were a warm-up. */
  readonly startedAt: number
  readonly endedAt?: number
  readonly state: 'running' | 'held' | 'failed'
  /** `held` is absent from a figure that decides nothing. */
  readonly lines: readonly { readonly held?: boolean; readonly text: string }[]
  /** The question it asks at the page before it goes on. */
  readonly step?: string
}

/** A scenario that can be started. */
export interface ScenarioRow {
  readonly name: string
  /** `share`: duplicates that are shared. `break`: something fails. */
  readonly kind: 'share' | 'break'
  /** What starts it, a few words. */
  readonly button: string
  /** What is done and what should be seen, a sentence each. */
  readonly what: string
  readonly expect: string
  /** Why it cannot be run here. */
  readonly unmet?: string
}

/** What never changes while the demo runs. */
export interface WorldRow {
  readonly store: string
  readonly model: string
  readonly models: readonly string[]
  readonly scenarios: readonly ScenarioRow[]
}

/** What has changed; the first one a page gets has everything. Rows replace the rows of the same id. */
export interface Changes {
  readonly now: number
  readonly world?: WorldRow
  readonly requests?: readonly RequestRow[]
  readonly calls?: readonly CallRow[]
  readonly workers?: readonly WorkerRow[]
  readonly keys?: readonly KeyRow[]
  readonly savings?: readonly SavingsPoint[]
  readonly runs?: readonly RunRow[]
  /** False while Redis is stopped. */
  readonly isRedisUp?: boolean
}
