import type { CallEvent, Events } from './events.js'
import { tokensOf } from './usage.js'

/** How much of a key is enough to find it in a log. */
const KEY_PREFIX = 12

/** A line for each call that was not paid for: the key's beginning and what was saved, nothing of the request. */
export function logSavings(events: Events): void {
  events.hear((name, event) => {
    if (name !== 'call' || !events.takes('info')) return
    const { outcome, digest: key = '', door, usage, dollars } = event as CallEvent
    if (outcome === 'executed' || outcome === 'bypassed') return
    const tokens = usage ? `, saved ${tokensOf(usage)} tokens` : ''
    const money = dollars === undefined ? '' : ` ($${dollars.toFixed(4)})`
    events.log('info', `${door} ${key.slice(0, KEY_PREFIX)}… ${outcome}${tokens}${money}.`)
  })
}
