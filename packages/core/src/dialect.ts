import { types } from 'node:util'
import { InvalidArgumentError } from './errors/caller-errors.js'
import type { Idem } from './idem.js'

export { assertRunOptions } from './options/run-options.js'

import { isMadeUpKey } from './key/request-headers.js'
import { WARN, type Warnable } from './observe/events.js'
import type { CallOptions } from './options/call-options.js'
import { isObject, isPlain } from './util/json.js'

// `@idem/core/dialect`: for packages that teach idem a provider, or put idem below an SDK.

export type {
  Assessment,
  Dialect,
  HttpAnswer,
  HttpRequest,
  Identity,
  StreamFormat,
  StreamInspector,
} from './dialect/dialect.js'
export {
  type EventWatch,
  eventReader,
  eventText,
  inspector,
  readEvents,
  type ServerEvent,
} from './dialect/server-events.js'
export type { Exchange } from './http/door.js'
export { type ReadBody, readBody } from './http/fetch-body.js'
export { type Telling, tellingOf } from './http/fetch-init.js'
export { assertClientOptions } from './options/call-options.js'
export { isObject, type JsonObject, parseObject } from './util/json.js'

/**
 * For packages that put idem below something: refuses what is not an idem.
 * @throws InvalidArgumentError that says what to pass
 */
export function assertIdem(idem: unknown, usage: string): asserts idem is Idem {
  const { run, exchange } = (idem ?? {}) as Partial<Idem>
  if (typeof run === 'function' && typeof exchange === 'function') return
  throw new InvalidArgumentError(`${usage} needs an idem: pass what createIdem() of @idem/core returns.`)
}

/** For packages that put idem below something: warns through this idem, each topic once. */
export function warnThrough(idem: Idem, topic: string, message: string): void {
  const warnable: Idem & Warnable = idem
  warnable[WARN]?.(topic, message)
}

/**
 * For packages that put idem below an SDK: the options of a call, merged name by name, where a later layer wins. The
 * SDK's own key is used if no layer names one, unless the SDK made it up.
 */
export function withKey(layers: readonly (CallOptions | undefined)[], key: string | undefined): CallOptions {
  const given = layers.filter((layer) => layer !== undefined)
  // A layer that is not a plain object is refused later, like every bad option of a call.
  const bad = given.find((layer) => !isObject(layer) || !isPlain(layer))
  if (bad !== undefined) return bad
  const named = given.flatMap((layer) => Object.entries(layer))
  const said = named.filter(([, value]) => value !== undefined)
  // A name stays even if its value is undefined, so that a misspelt one is refused.
  const options: CallOptions = Object.fromEntries([
    ...named.filter(([, value]) => value === undefined),
    ...said,
  ])
  return options.key !== undefined || key === undefined || isMadeUpKey(key) ? options : { ...options, key }
}

/**
 * For packages that put idem below an SDK which aborts a request for its timeout and for its caller alike, and does not
 * say why: whether it was a timeout, by the caller's own signal.
 */
export function isTimeoutBeside(signal: AbortSignal | null | undefined): boolean {
  return !signal?.aborted || (signal.reason as Partial<Error> | undefined)?.name === 'TimeoutError'
}

/**
 * For packages that put idem below an SDK: gives the copy of a client all that the client holds, since a subclass may
 * hold more than its constructor is given again. The resources of an SDK name their client, and stay the copy's own.
 */
export function holdAsWell<Client extends object>(copy: Client, client: Client): Client {
  const held = Object.entries(client).filter(([, value]) => !isResource(value))
  return Object.assign(copy, Object.fromEntries(held))
}

/**
 * For packages that put idem below an SDK: warns where the calls of a client were patched, by a tracer say. The copy has
 * resources of its own, which were not, and a patch that it holds as well leads back to the client it was made for.
 *
 * @param copy as the SDK made it, before it holds what the client holds
 */
export function warnOfPatches(idem: Idem, client: object, copy: object): void {
  const patched = types.isProxy(client) ? 'the client itself, by a Proxy' : patchIn(client, copy)
  if (patched === undefined) return
  warnThrough(
    idem,
    'patched',
    `withIdem: this client was patched before (${patched}). withIdem makes a copy of the client: calls of the copy do NOT ` +
      'go through the patch, or not through idem. Call withIdem first, and patch what it returns.',
  )
}

/** Methods that an SDK calls on its way to idem. A patch of one of these works on the copy as well. */
const HOOKS = ['prepareOptions', 'prepareRequest', 'authHeaders']

/** The path of the first member of a client, or of its resources, that the copy does not have. */
function patchIn(one: object, copy: object): string | undefined {
  for (const name of Object.getOwnPropertyNames(one)) {
    const { value, get } = Object.getOwnPropertyDescriptor(one, name)!
    const twin: unknown = Object.getOwnPropertyDescriptor(copy, name)?.value
    if (isResource(twin)) {
      if (!isResource(value) || types.isProxy(value)) return name
      if (value === twin) continue
      const patched = patchIn(value, twin)
      if (patched !== undefined) return `${name}.${patched}`
    } else if (!Object.hasOwn(copy, name) && !HOOKS.includes(name)) {
      // It hides a method of the class.
      const isMethod = typeof value === 'function' || get !== undefined
      if (isMethod && name in Object.getPrototypeOf(one)) return name
    }
  }
  return undefined
}

/** A part of an SDK's client, such as `client.chat`, which names its client. */
function isResource(value: unknown): value is object {
  return isObject(value) && Object.hasOwn(value, '_client')
}
