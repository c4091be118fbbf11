/** The members of an error that describe it and never hold the arguments of a command. */
const HARMLESS = ['code', 'errno', 'syscall', 'address', 'port'] as const
/** Causes have causes: this many levels are kept. */
const DEPTH = 5

/**
 * For stores: the error a client threw, as the cause of a StoreError. It has the name, message, code, address and
 * causes, and nothing else. Clients put the command they sent on their errors, whose arguments are answers, and Redis
 * repeats the arguments of a command it does not know. Neither may reach a log.
 */
export function cleanCause(error: unknown, depth = DEPTH): Error | undefined {
  if (error === undefined || error === null) return undefined
  try {
    const from = Object(error) as Record<string, unknown>
    const isError = typeof error === 'object'
    const cause = depth > 1 && isError ? cleanCause(from.cause, depth - 1) : undefined
    const clean = new Error(cleanMessage(isError ? messageOf(from) : String(error)), {
      ...(cause !== undefined && { cause }),
    })
    if (typeof from.name === 'string') define(clean, 'name', from.name)
    for (const name of HARMLESS) {
      const value = from[name]
      if (typeof value === 'string' || typeof value === 'number') Object.assign(clean, { [name]: value })
    }
    return clean
  } catch {
    return new Error('An error that cannot be read.')
  }
}

/** A message without the arguments that Redis repeats in it. */
export function cleanMessage(message: string): string {
  return message.replace(/,? with args beginning with:.*$/s, '')
}

/** Node joins the errors of several attempts to connect into one that has no message. */
function messageOf({ message, errors }: Record<string, unknown>): string {
  if (message || !Array.isArray(errors)) return String(message ?? 'An error without a message.')
  return errors.map((one) => String(Object(one).message)).join('; ')
}

/** Not enumerable, as on any error. */
function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, configurable: true, writable: true })
}
