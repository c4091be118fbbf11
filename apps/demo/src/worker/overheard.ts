import type { Store } from '@idem/core/store'
import { now } from '../shared/clock.js'
import type { StoreNews, Tell } from '../shared/worker-events.js'
import { asking } from './asking.js'

/** The same store, which reports what is locked, stored and waited for. */
export function overheard(store: Store, tell: Tell): Store {
  const hear = (key: string, owner: string, state: StoreNews['state'], ttlMs?: number) => {
    const news = { key, owner, state, request: asking.getStore()?.id, at: now() }
    tell('store', { ...news, ...(ttlMs !== undefined && { ttlMs }) })
  }
  const overhearing: Partial<Store> = {
    async acquire(key, claim, leaseMs, options) {
      const found = await store.acquire(key, claim, leaseMs, options)
      if (found.state === 'acquired') hear(key, claim.owner, 'locked')
      if (found.state === 'locked') hear(key, found.owner, 'waits')
      return found
    },
    async complete(key, claim, bytes, ttlMs, options) {
      const completed = await store.complete(key, claim, bytes, ttlMs, options)
      if (completed.state === 'stored') hear(key, claim.owner, 'stored', ttlMs)
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
