import type { Store } from '@idem/core'
import { now } from './clock.js'
import type { Tell } from './worker-events.js'

/** The same store, which tells what is locked, stored and waited for. */
export function overheard(store: Store, tell: Tell): Store {
  const overhearing: Partial<Store> = {
    async acquire(key, claim, leaseMs, options) {
      const found = await store.acquire(key, claim, leaseMs, options)
      if (found.state === 'acquired') tell('store', { key, owner: claim.owner, state: 'locked', at: now() })
      if (found.state === 'locked') tell('store', { key, owner: found.owner, state: 'waits', at: now() })
      return found
    },
    async complete(key, claim, bytes, ttlMs) {
      const completed = await store.complete(key, claim, bytes, ttlMs)
      if (completed.state === 'stored')
        tell('store', { key, owner: claim.owner, state: 'stored', at: now(), ttlMs })
      return completed
    },
  }
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(overhearing, name) ?? Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
