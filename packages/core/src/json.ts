/** An object of JSON: what is in it is not known. */
export type JsonObject = Record<string, unknown>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws unless the text is a JSON object */
export function parseObject(text: string): JsonObject {
  const parsed: unknown = JSON.parse(text)
  if (!isObject(parsed)) throw new TypeError('not a JSON object')
  return parsed
}

/**
 * Finds the first thing in `value` that a trip through JSON would change, and says what and where; undefined when
 * nothing would. Absent members and members that are `undefined` count as the same; -0, which JSON writes as 0, is
 * found only by `exact`.
 */
export function unfitForJson(value: unknown, { exact }: { exact: boolean }): string | undefined {
  return new Inspector(exact).inspect(value, '$')
}

class Inspector {
  readonly #exact: boolean
  readonly #ancestors = new Set<object>()

  constructor(exact: boolean) {
    this.#exact = exact
  }

  inspect(value: unknown, path: string): string | undefined {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return undefined
      case 'number':
        if (this.#exact && Object.is(value, -0)) return `-0 at ${path}`
        return Number.isFinite(value) ? undefined : `${value} at ${path}`
      case 'object':
        return value === null ? undefined : this.#inspectObject(value, path)
      default:
        return `${typeof value} at ${path}`
    }
  }

  #inspectObject(value: object, path: string): string | undefined {
    if (this.#ancestors.has(value)) return `a cycle at ${path}`
    if (!isPlain(value)) return `${value.constructor?.name ?? 'an object with a prototype'} at ${path}`
    if (Object.getOwnPropertySymbols(value).length > 0) return `a symbol as a name at ${path}`
    this.#ancestors.add(value)
    const found = Array.isArray(value) ? this.#inspectItems(value, path) : this.#inspectMembers(value, path)
    this.#ancestors.delete(value)
    return found
  }

  #inspectItems(items: unknown[], path: string): string | undefined {
    // A match of a RegExp, say, has members beside its items.
    if (Object.keys(items).length > items.length) return `an array with members at ${path}`
    for (let index = 0; index < items.length; index++) {
      const found = this.inspect(items[index], `${path}[${index}]`)
      if (found) return found
    }
    return undefined
  }

  #inspectMembers(value: object, path: string): string | undefined {
    for (const [name, member] of Object.entries(value)) {
      const found = member === undefined ? undefined : this.inspect(member, `${path}.${name}`)
      if (found) return found
    }
    return undefined
  }
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
