/** An object of JSON: what is in it is not known. */
export type JsonObject = Record<string, unknown>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Made once: making one costs more than most texts do. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of these bytes. @throws where they are not UTF-8 */
export function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
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
  const found = new Inspector(exact).inspect(value)
  return found && `${found.what} at $${found.path}`
}

interface Finding {
  readonly what: string
  readonly path: string
}

class Inspector {
  readonly #exact: boolean
  readonly #ancestors = new Set<object>()

  constructor(exact: boolean) {
    this.#exact = exact
  }

  inspect(value: unknown): Finding | undefined {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return undefined
      case 'number':
        if (this.#exact && Object.is(value, -0)) return finding('-0')
        return Number.isFinite(value) ? undefined : finding(String(value))
      case 'object':
        return value === null ? undefined : this.#inspectObject(value)
      default:
        return finding(typeof value)
    }
  }

  #inspectObject(value: object): Finding | undefined {
    if (this.#ancestors.has(value)) return finding('a cycle')
    if (!isPlain(value)) return finding(value.constructor?.name ?? 'an object with a prototype')
    if (Object.getOwnPropertySymbols(value).length > 0) return finding('a symbol as a name')
    this.#ancestors.add(value)
    const found = Array.isArray(value) ? this.#inspectItems(value) : this.#inspectMembers(value)
    this.#ancestors.delete(value)
    return found
  }

  #inspectItems(items: unknown[]): Finding | undefined {
    // A match of a RegExp, say, has members beside its items.
    if (Object.keys(items).length > items.length) return finding('an array with members')
    for (let index = 0; index < items.length; index++) {
      const found = this.inspect(items[index])
      if (found) return { ...found, path: `[${index}]${found.path}` }
    }
    return undefined
  }

  #inspectMembers(value: object): Finding | undefined {
    for (const [name, member] of Object.entries(value)) {
      const found = member === undefined ? undefined : this.inspect(member)
      if (found) return { ...found, path: `.${name}${found.path}` }
    }
    return undefined
  }
}

/** Its path is made on the way out: nearly always there is nothing to find. */
function finding(what: string): Finding {
  return { what, path: '' }
}

/** Whether it is an array or an object without a class: from `{}`, JSON or another realm. */
export function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
