import { isObject, type JsonObject } from '@idem/core'

/** Members whose text comes whole, however often it comes. All other text comes in pieces. */
const WHOLE = new Set(['role', 'type', 'id', 'name'])

/**
 * Adds a delta to what there is so far, members not known yet as well: text is appended, lists are continued (items
 * with an `index` each for itself), objects are extended. Null takes nothing away.
 */
export function extend(target: JsonObject, delta: JsonObject): JsonObject {
  for (const [name, piece] of Object.entries(delta)) {
    const before = Object.hasOwn(target, name) ? target[name] : undefined
    target[name] = joined(name, before, piece)
  }
  return target
}

function joined(name: string, before: unknown, piece: unknown): unknown {
  if (piece === null) return before ?? null
  if (typeof piece === 'string' && typeof before === 'string') {
    return WHOLE.has(name) ? piece || before : before + piece
  }
  if (Array.isArray(piece)) return continued(Array.isArray(before) ? before : [], piece)
  if (isObject(piece)) return extend(isObject(before) ? before : {}, piece)
  return piece
}

function continued(items: unknown[], more: readonly unknown[]): unknown[] {
  for (const one of more) {
    const index = indexOf(one)
    const same = index === undefined ? undefined : items.find((item) => indexOf(item) === index)
    if (isObject(same) && isObject(one)) extend(same, one)
    else items.push(isObject(one) ? extend({}, one) : one)
  }
  return items
}

function indexOf(item: unknown): number | undefined {
  return isObject(item) && typeof item.index === 'number' ? item.index : undefined
}
