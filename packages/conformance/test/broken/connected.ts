import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from '@idem/core'
import type { Store } from '@idem/core/store'
import { PlainStore, type Shared } from './plain-store.js'

/**
 * A plain store behind a connection that can break: commands under way fail then, later ones wait until it is back.
 * What it does so is one method each, for the mistakes.
 */
export class Connected extends PlainStore {
  #back: Promise<unknown> = Promise.resolve()
  #break: (() => void) | undefined
  #broken = new Promise<void>((resolve) => {
    this.#break = resolve
  })

  constructor(shared: Shared) {
    super(shared)
    const all = this as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
    for (const name of COMMANDS) {
      const method = all[name]!.bind(this)
      all[name] = (...args) => this.command(() => method(...args))
    }
  }

  async disrupt(): Promise<void> {
    this.#break?.()
    this.#broken = new Promise((resolve) => {
      this.#break = resolve
    })
    this.#back = this.reconnect()
  }

  protected reconnect(): Promise<void> {
    return sleep(40)
  }

  protected async command<T>(send: () => Promise<T>): Promise<T> {
    let lost = false
    const broken = this.#broken.then(() => {
      lost = true
    })
    await this.#back
    const reply = await send()
    // A reply takes a turn of the event loop, in which the connection may break.
    await Promise.race([broken, new Promise((resolve) => setImmediate(resolve))])
    return lost ? this.lose() : reply
  }

  /** What becomes of a command when the connection breaks. */
  protected async lose(): Promise<never> {
    throw new StoreError('The connection broke.', { effect: 'unknown' })
  }
}

const COMMANDS = [
  'acquire',
  'renew',
  'complete',
  'release',
  'leaveNote',
  'readNote',
  'read',
  'forget',
  'append',
  'tail',
  'report',
  'reports',
  'ready',
] as const

export const disrupt = (store: Store) => (store as Connected).disrupt()
