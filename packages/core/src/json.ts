/**
 * Finds the first thing in `value` that a trip through JSON would change, and says what and where; undefined when
 * nothing would. Absent members and members that are `undefined` count as the same.
 */
export function unfitForJson(value: unknown): string | undefined {
  return inspect(value, '$', new Set())
}

function inspect(value: unknown, path: string, ancestors: Set<object>): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? undefined
        : `${Object.is(value, -0) ? '-0' : value} at ${path}`
    case 'object':
      return value === null ? undefined : inspectObject(value, path, ancestors)
    default:
      return `${typeof value} at ${path}`
  }
}

function inspectObject(value: object, path: string, ancestors: Set<object>): string | undefined {
  if (ancestors.has(value)) return `a cycle at ${path}`
  const isArray = Array.isArray(value)
  const prototype = Object.getPrototypeOf(value)
  if (!isArray && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return `${value.constructor?.name ?? 'an object with a prototype'} at ${path}`
  }
  ancestors.add(value)
  const members = isArray ? Array.from(value, (item, index) => [index, item] as const) : Object.entries(value)
  for (const [name, member] of members) {
    if (member === undefined && !isArray) continue
    const found = inspect(member, isArray ? `${path}[${name}]` : `${path}.${name}`, ancestors)
    if (found) return found
  }
  ancestors.delete(value)
  return undefined
}
