import { StoreError } from '@idem/core'
import type { Hint } from '@idem/core/store'

/** What the kit tells a process that holds a handle. */
export type Order =
  | { readonly idem: 'call'; readonly id: number; readonly method: string; readonly args: unknown[] }
  | { readonly idem: 'watch'; readonly id: number; readonly key: string }
  | { readonly idem: 'stop'; readonly id: number; readonly watch: number }
  | { readonly idem: 'leave'; readonly id: number }

/** What such a process answers. */
export type Answer =
  | { readonly idem: 'open'; readonly methods: readonly string[] }
  | { readonly idem: 'value'; readonly id: number; readonly value: unknown }
  | { readonly idem: 'error'; readonly id: number; readonly error: WireError }
  | { readonly idem: 'hint'; readonly id: number; readonly hint: Hint }

/** An error as it travels: what a clone of an Error would lose. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string
  readonly effect?: StoreError['effect']
}

/** The variable that tells a process how far its clock is ahead, ms. */
export const CLOCK_AHEAD = 'IDEM_CONFORMANCE_CLOCK_AHEAD_MS'

export function toWire(error: unknown): WireError {
  const { name, message, stack, code, effect } = Object(error) as WireError
  return { name: name ?? 'Error', message: message ?? String(error), stack, code, effect }
}

export function fromWire({ name, message, stack, code, effect }: WireError): Error {
  if (code === 'IDEM_STORE_ERROR') return new StoreError(message, { effect: effect ?? 'unknown' })
  return Object.assign(new Error(message), { name, stack, code })
}
