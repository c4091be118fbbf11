import { AsyncLocalStorage } from 'node:async_hooks'
import type { Dialect } from '../dialect/dialect.js'
import { ClosedError } from '../errors/caller-errors.js'
import { isIdemError } from '../errors/idem-error.js'
import { assertCallOptions } from '../options/call-options.js'
import { errorResponse } from '../response/response.js'
import type { Exchange, HttpDoor, Reason } from './door.js'

/** Set on the way from a door to the provider. */
const below = new AsyncLocalStorage<{ isOver: boolean }>()

/** Whether this request has been through a door already. */
export function isBelowDoor(): boolean {
  return below.getStore()?.isOver === false
}

/** Sends a request on. Code that it starts and that goes on after it, a timer say, no longer counts as on the way. */
export async function belowDoor(send: () => Promise<Response>): Promise<Response> {
  const mark = { isOver: false }
  try {
    return await below.run(mark, send)
  } finally {
    mark.isOver = true
  }
}

/** A request of a dialect whose body is not known. */
interface Unread {
  readonly dialect: Dialect
  readonly isRetry: boolean
  readonly options: Exchange['options']
  readonly reason: Reason
}

/** Sends a request on unchanged, counts it as bypassed and says why, unless its caller asked for exactly that. */
export async function passOn(
  door: HttpDoor,
  { dialect, isRetry, options, reason: { topic, warning } }: Unread,
  send: () => Promise<Response>,
): Promise<Response> {
  if (isBelowDoor()) return send()
  try {
    if (door.isClosing()) throw new ClosedError()
    if (options !== undefined) assertCallOptions(options, 'idem options')
    if (options?.bypass !== true) door.events.warn(topic, warning)
    const response = await belowDoor(send)
    door.events.emit('call', { door: dialect.door, outcome: 'bypassed', isRetry })
    return response
  } catch (error) {
    if (isIdemError(error)) return errorResponse(dialect, error)
    throw error
  }
}
