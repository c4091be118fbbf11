import { type JsonObject, unfitForJson } from '../util/json.js'
import type { Reason } from './door.js'

/** Members that idem reads itself. */
const HANDLED = ['method', 'headers', 'body', 'signal', 'idem'] as const

/** Members that say how a request travels and not what it asks for: never in a key, always passed on. */
const HARMLESS = [
  'duplex', // how a body that is a stream is sent
  'keepalive', // whether the request outlives a page
  'priority', // which of several requests goes first
  'window', // can only be null
  'dispatcher', // undici: the connection to go by, e.g. a proxy
] as const

/** Members that the platform reads, and that change what comes back. */
const TELLING = [
  'redirect',
  'mode',
  'credentials',
  'cache',
  'referrer',
  'referrerPolicy',
  'integrity',
] as const

const KNOWN = [...HANDLED, ...HARMLESS, ...TELLING] as const

/** The members of an init, its own and those of its prototypes. */
export type Members = Readonly<Record<PropertyKey, unknown>>

/**
 * All members of an init as a plain object: those that `fetch` reads and any others. The platform reads members one by
 * one, so an init may be any object, with a prototype or a Request.
 */
export function membersOf(init: object | null | undefined): Members {
  if (init === null || init === undefined) return {}
  const members: [PropertyKey, unknown][] = []
  for (const name of new Set([...KNOWN, ...unknownNames(init)])) {
    const value = memberOf(init, name)
    if (value !== undefined) members.push([name, value])
  }
  return Object.fromEntries(members)
}

/** Stands for a member that cannot be read, which is not JSON either. */
const UNREADABLE = Symbol('unreadable')

function memberOf(init: object, name: PropertyKey): unknown {
  if (isOneOf(KNOWN, name)) return (init as Members)[name]
  try {
    return (init as Members)[name]
  } catch {
    return UNREADABLE // The platform would not have read it.
  }
}

/** The part of an init that may change the answer. */
export interface Telling {
  /** As JSON, for the key. Empty if everything is the default. */
  readonly init: JsonObject
  /** A member that is neither known nor JSON cannot be compared: the request is not shared. */
  readonly opaque?: Reason
}

/**
 * What of an init may change the answer: what the platform knows to, where it is not the default, and every member that
 * is not known. For packages below an SDK; pass what it returns to `idem.exchange`.
 */
export function tellingOf(init: object): Telling {
  const told: [string, unknown][] = []
  let opaque: string | undefined
  plainest ??= new Request('http://localhost/', { method: 'POST' })
  const members = membersOf(init)
  for (const name of Reflect.ownKeys(members)) {
    const value = members[name]
    if (isOneOf(HANDLED, name) || isOneOf(HARMLESS, name)) continue
    if (isOneOf(TELLING, name) && value === plainest[name]) continue
    const copy = typeof name === 'string' ? copyOf(value) : undefined
    if (copy === undefined) opaque ??= String(name)
    else told.push([String(name), copy])
  }
  return { init: Object.fromEntries(told), ...(opaque !== undefined && { opaque: unknownMember(opaque) }) }
}

function unknownMember(name: string): Reason {
  return {
    topic: `init-${name}`,
    warning:
      `The option '${name}' of a fetch is not known to idem and is not JSON, so it cannot be told whether it changes the ` +
      'answer. The call was made and NOT shared. Leave it out, or set it in a fetch below idem, given to ' +
      'createIdem or, with middleware, to the SDK: fetch: (input, init) => fetch(input, { ...init, … }).',
  }
}

/** An empty Request: the platform's defaults are read from it. */
let plainest: Request | undefined

/**
 * The Request that the platform makes of the arguments of `fetch`. Every argument is checked, read and copied by it.
 * Its signal is not followed: a caller's signal may outlive many requests.
 * @throws what `fetch` rejects with
 */
export function requestOf(input: string | URL | Request, members: Members): Request {
  return new Request(input, members.signal instanceof AbortSignal ? { ...members, signal: null } : members)
}

/** The signal that ends this call, if there is one. */
export function signalOf(
  input: string | URL | Request,
  { signal }: Members,
  request: Request,
): AbortSignal | undefined {
  if (signal === null) return undefined
  if (signal === undefined) return input instanceof Request ? input.signal : undefined
  // A signal of another class is turned into one of the platform's that follows it.
  return signal instanceof AbortSignal ? signal : request.signal
}

/** The members of an init as the platform has read them into a Request, which may come from another Request. */
export function readBy(request: Request, members: Members): Members {
  return { ...members, ...picked(request as unknown as Members, TELLING) }
}

/** What is sent on beside what is said of it in a key. A body that is sent as it was read needs no `duplex`. */
export function othersOf(members: Members): Members {
  const read = [...HANDLED, ...TELLING, 'duplex'] as const
  return Object.fromEntries(
    Reflect.ownKeys(members)
      .filter((name) => !isOneOf(read, name))
      .map((name) => [name, members[name]]),
  )
}

function isOneOf<Name extends PropertyKey>(names: readonly Name[], name: PropertyKey): name is Name {
  return names.includes(name as Name)
}

function picked(from: Members, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in from).map((name) => [name, from[name]]))
}

/** A copy, so that what the key was made of is what is sent; undefined for what is not JSON. */
function copyOf(value: unknown): unknown {
  try {
    return unfitForJson(value, { exact: true }) === undefined ? structuredClone(value) : undefined
  } catch {
    return undefined
  }
}

function unknownNames(init: object): PropertyKey[] {
  const names: PropertyKey[] = []
  const isRequest = init instanceof Request
  for (let one: object | null = init; one && !isRoot(one); one = Object.getPrototypeOf(one)) {
    for (const name of Reflect.ownKeys(one)) {
      // Members that the platform itself keeps there.
      if (isRequest && typeof name === 'symbol') continue
      // Methods of a class are not members of its objects.
      if (one !== init && isMethod(one, name)) continue
      names.push(name)
    }
  }
  return names
}

/** Whether a prototype has nothing but what every object, or every Request, has. */
function isRoot(one: object): boolean {
  if (one === Request.prototype) return true
  return Object.getPrototypeOf(one) === null && Object.hasOwn(one, 'isPrototypeOf')
}

function isMethod(prototype: object, name: PropertyKey): boolean {
  const { enumerable, value } = Object.getOwnPropertyDescriptor(prototype, name)!
  return !enumerable && typeof value === 'function'
}
