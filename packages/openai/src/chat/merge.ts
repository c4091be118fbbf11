import { isDeepStrictEqual } from 'node:util'
import { isObject, type JsonObject } from '@idem/core/dialect'

/**
 * How a member of a delta is added to what came before.
 *
 * - `pieces`: text that is known to come in pieces, and is joined.
 * - `whole`: text that comes whole, however often.
 * - `once`: any value, once or the same again.
 * - `latest`: the last one counts.
 * - an object or a list: its members or items, each by their own rules.
 */
export type Rule = 'pieces' | 'whole' | 'once' | 'latest' | ObjectRule | ListRule

export interface ObjectRule {
  readonly members: Readonly<Record<string, Rule>>
  /** Whether a member without a rule makes the whole unknown, even if it comes once. */
  readonly isClosed?: boolean
}

export interface ListRule {
  readonly items: ObjectRule
  /**
   * The earlier item that this item of a delta continues; undefined if it starts a new one. Throws where that cannot be
   * known.
   */
  continued(items: readonly JsonObject[], piece: JsonObject): JsonObject | undefined
}

/**
 * Adds a delta. A member without a rule is unknown: it may come once, or repeat its value. Null leaves the earlier
 * value in place.
 * @throws where the whole cannot be known with certainty
 */
export function extend(target: JsonObject, delta: JsonObject, { members, isClosed }: ObjectRule): JsonObject {
  for (const [name, piece] of Object.entries(delta)) {
    const rule = Object.hasOwn(members, name) ? members[name] : undefined
    if (name === '__proto__' || (isClosed && !rule))
      throw new TypeError('a delta of a kind that is not known')
    if (isClosed && piece === null) continue
    const before = Object.hasOwn(target, name) ? target[name] : undefined
    const after = rule === undefined ? onceOf(before, piece) : joined(rule, before, piece)
    if (after !== undefined) target[name] = after
  }
  return target
}

/** A member that never changes: its first value that is not null. */
export function onceOf(before: unknown, piece: unknown): unknown {
  if ((before ?? null) === null || isDeepStrictEqual(before, piece)) return piece
  throw new TypeError('a member that is not known comes twice')
}

function joined(rule: Rule, before: unknown, piece: unknown): unknown {
  if (piece === null) return before ?? (typeof rule === 'string' ? null : undefined)
  switch (rule) {
    case 'latest':
      return piece
    case 'once':
      return onceOf(before, piece)
    case 'pieces':
      return textOf(before ?? '') + textOf(piece)
    case 'whole':
      return piece === '' && before ? before : onceOf(before || null, textOf(piece))
  }
  if ('items' in rule) return listed(rule, (before ?? []) as JsonObject[], piece)
  return extend((before ?? {}) as JsonObject, objectOf(piece), rule)
}

function listed({ items, continued }: ListRule, before: JsonObject[], more: unknown): JsonObject[] {
  if (!Array.isArray(more)) throw new TypeError('a delta that is not a list')
  for (const one of more) {
    const piece = objectOf(one)
    const same = continued(before, piece)
    if (same) extend(same, piece, items)
    else before.push(extend({}, piece, items))
  }
  return before
}

export function objectOf(value: unknown): JsonObject {
  if (!isObject(value)) throw new TypeError('a delta that is not an object')
  return value
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a delta that is not text')
  return value
}
