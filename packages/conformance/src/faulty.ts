import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from '@idem/core'
import { type Hint, STORE_METHODS, type Store } from '@idem/core/store'

const { required, live, reports } = STORE_METHODS
const METHODS = [...required, ...live, ...reports].filter((name) => name !== 'ready' && name !== 'close')

/** What happens to one command. */
export type Fault =
  /** It never reaches the store: rejects with effect `none`. */
  | { readonly fault: 'refused' }
  /** It is done, but its reply is lost: rejects with effect `unknown`. */
  | { readonly fault: 'reply lost' }
  /** It reaches the store this much later, ms. */
  | { readonly fault: 'late'; readonly ms: number }
  /** It is done at once, and its reply comes this much later, ms. */
  | { readonly fault: 'reply late'; readonly ms: number }

export interface FaultyCommand {
  readonly method: (typeof METHODS)[number]
  /** Or the board. */
  readonly key: string
  /** How many commands of this method and key came before it through the same decorator. */
  readonly before: number
}

/** What goes wrong, and when. All other commands go through. */
export interface FaultPlan {
  /** Asked for every command. */
  command?(command: FaultyCommand): Fault | undefined
  /** Asked for every hint: how often its listener hears it, 0 where it is lost. @default once */
  hint?(hint: Hint, key: string): number
}

/**
 * The same store, to which things happen as the plan says: commands that fail before or after they are done, that come
 * late, hints that are lost or doubled. `ready` and `close` go through.
 */
export function faulty(store: Store, plan: FaultPlan): Store {
  const counts = new Map<string, number>()

  async function command(method: FaultyCommand['method'], args: readonly unknown[]): Promise<unknown> {
    const key = args[0] as string
    const send = () => (store[method] as Send).call(store, ...args)
    const before = counts.get(`${method} ${key}`) ?? 0
    counts.set(`${method} ${key}`, before + 1)
    const fault = plan.command?.({ method, key, before })
    if (fault?.fault === 'refused') {
      throw new StoreError(`${method} was kept from the store.`, { effect: 'none' })
    }
    if (fault?.fault === 'late') await sleep(fault.ms)
    const reply = await send()
    if (fault?.fault === 'reply lost') {
      throw new StoreError(`The reply to ${method} was lost.`, { effect: 'unknown' })
    }
    if (fault?.fault === 'reply late') await sleep(fault.ms)
    return reply
  }

  const commands = METHODS.filter((method) => typeof store[method] === 'function').map(
    (method) => [method, (...args: unknown[]) => command(method, args)] as const,
  )
  return {
    ...(Object.fromEntries(commands) as unknown as Store),
    ...(store.domain && { domain: (key) => store.domain!(key) }),
    ...(store.watch && {
      watch: (key, listener) =>
        store.watch!(key, (hint) => {
          for (let times = plan.hint?.(hint, key) ?? 1; times > 0; times--) listener(hint)
        }),
    }),
    specVersion: store.specVersion,
    ready: (key) => store.ready(key),
    close: () => store.close(),
  }
}

type Send = (...args: readonly unknown[]) => Promise<unknown>
