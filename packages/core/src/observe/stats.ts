import { isObject, utf8 } from '../util/json.js'
import type { CallEvent, Hearing } from './events.js'
import { isCount, NO_USAGE, tokensOf, type Usage } from './usage.js'

/** What was not paid for. Dollars are an estimate at list prices, of the models that have one. */
export interface Savings {
  /** Upstream calls not made. */
  readonly calls: number
  /** Tokens of all kinds. */
  readonly tokens: number
  /** The same by kind. */
  readonly usage: Usage
  /** US dollars. */
  readonly dollars: number
}

/** How calls went. */
export interface Stats extends Omit<Totals, 'saved'> {
  /** All calls that ended with an answer. */
  readonly requests: number
  /** Calls that made no upstream call: replayed + collapsed. */
  readonly hits: number
  /** hits / requests, from 0 to 1. */
  readonly hitRate: number
  /** In all, and by how it was saved. */
  readonly saved: Savings & Readonly<Record<SavedBy, Savings>>
}

/**
 * - `replayed`: answered from a record.
 * - `collapsed`: shared a running call.
 * - `retryCollapsed`: either of the two, by an SDK's retry: its own first try is what it was given.
 */
export type SavedBy = 'replayed' | 'collapsed' | 'retryCollapsed'

/** What counts, as plain numbers: what is sent to the store, and added up over processes. */
export interface Totals {
  /** Calls that made the upstream call. */
  readonly executed: number
  /** Calls answered from a record. */
  readonly replayed: number
  /** Calls that shared an execution while it ran. */
  readonly collapsed: number
  /** Calls that asked not to be shared, or could not be told apart safely. */
  readonly bypassed: number
  /** Executions made although the store could not be reached. */
  readonly failedOpen: number
  /** Executions that another one of the same request overtook. */
  readonly superseded: number
  /**
   * Executions overtaken when callers had bytes of theirs already: those callers got the rest of it, all others the
   * answer that stands.
   */
  readonly diverged: number
  /** Calls cancelled because nobody waited for them any more. */
  readonly cancelled: number
  readonly saved: Readonly<Record<SavedBy, Saved>>
}

type Saved = Pick<Savings, 'calls' | 'usage' | 'dollars'>

const NO_SAVED: Saved = { calls: 0, dollars: 0, usage: NO_USAGE }

export const NO_TOTALS: Totals = {
  executed: 0,
  replayed: 0,
  collapsed: 0,
  bypassed: 0,
  failedOpen: 0,
  superseded: 0,
  diverged: 0,
  cancelled: 0,
  saved: { replayed: NO_SAVED, collapsed: NO_SAVED, retryCollapsed: NO_SAVED },
}

const KINDS = Object.keys(NO_USAGE) as (keyof Usage)[]

/** Totals that grow in place: to count a call costs a few additions, and leaves nothing behind. */
export class Tally {
  readonly #totals = plus(NO_TOTALS, undefined) as Growing<Totals>
  /** How often something was counted. */
  changes = 0

  readonly heard: Hearing = (name, event) => {
    if (name === 'call') this.#count(event as CallEvent)
    else if (isCounted(name)) this.#totals[name]++
    else return
    this.changes++
  }

  #count({ outcome, isRetry, usage, dollars = 0 }: CallEvent): void {
    this.#totals[outcome]++
    if (outcome === 'executed' || outcome === 'bypassed') return
    const saved = this.#totals.saved[isRetry ? 'retryCollapsed' : outcome]
    saved.calls++
    saved.dollars += dollars
    if (usage) for (const kind of KINDS) saved.usage[kind] += usage[kind]
  }

  /** A copy of what was counted so far. */
  get totals(): Totals {
    return plus(NO_TOTALS, this.#totals)
  }
}

type Growing<T> = { -readonly [Name in keyof T]: T[Name] extends object ? Growing<T[Name]> : T[Name] }

function isCounted(name: string): name is 'failedOpen' | 'superseded' | 'diverged' | 'cancelled' {
  return Object.hasOwn(NO_TOTALS, name)
}

/**
 * Reads a report back, leaf by leaf. A leaf that idem would not have written counts as 0 and makes the report
 * `damaged`. A leaf that is missing, because an older version did not count it, counts as 0.
 */
export function readTotals(bytes: Uint8Array): { readonly totals: Totals; readonly isDamaged: boolean } {
  let isDamaged = false
  const read = (like: object, report: unknown): object => {
    isDamaged ||= report !== undefined && !isObject(report)
    const said = isObject(report) ? report : {}
    const leaves = Object.entries(like).map(([name, none]) => {
      const value = said[name]
      if (typeof none === 'object') return [name, read(none, value)]
      // Dollars have fractions.
      const isRead = name === 'dollars' ? isAmount(value) : isCount(value)
      isDamaged ||= value !== undefined && !isRead
      return [name, isRead ? value : none]
    })
    return Object.fromEntries(leaves)
  }
  const totals = read(NO_TOTALS, jsonIn(bytes)) as Totals
  return { totals, isDamaged }
}

function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8(bytes))
  } catch {
    return null
  }
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}

/** The sum, leaf by leaf. What the second lacks, or has that is not a number, counts as 0. */
export function plus<T extends object>(totals: T, more: unknown): T {
  const others = Object(more) as Record<string, unknown>
  const sums = Object.entries(totals).map(([name, value]) => {
    const other = others[name]
    if (typeof value === 'object') return [name, plus(value, other)]
    return [name, value + (typeof other === 'number' && Number.isFinite(other) ? other : 0)]
  })
  return Object.fromEntries(sums) as T
}

/** Totals as people read them. */
export function statsOf(totals: Totals): Stats {
  const { executed, replayed, collapsed, bypassed, saved } = totals
  const hits = replayed + collapsed
  const requests = executed + hits + bypassed
  const by = {
    replayed: savingsOf(saved.replayed),
    collapsed: savingsOf(saved.collapsed),
    retryCollapsed: savingsOf(saved.retryCollapsed),
  }
  const all = plus(plus(saved.replayed, saved.collapsed), saved.retryCollapsed)
  return {
    ...totals,
    requests,
    hits,
    hitRate: requests === 0 ? 0 : hits / requests,
    saved: { ...savingsOf(all), ...by },
  }
}

function savingsOf(saved: Saved): Savings {
  return { ...saved, tokens: tokensOf(saved.usage) }
}
