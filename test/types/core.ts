// Each line that must not compile stands under the words its error must have.
import { createIdem, type Ttl } from '@idem/core'

const idem = createIdem()

export const parse: Ttl[] = [
  'retry',
  'chat',
  'analysis',
  'batch',
  90_000,
  '90s',
  '2 hours',
  '1.5d',
  '15m',
  '1 week',
]

// error: 90 parsecs
export const unit: Ttl = '90 parsecs'
// error: "90"
export const bare: Ttl = '90'
// error: chats
export const name: Ttl = 'chats'
// error: 90S
export const upper: Ttl = '90S'
// error: one hour
export const words: Ttl = 'one hour'
// error: 1h30m
export const two: Ttl = '1h30m'
// error: 1 year
createIdem({ ttl: '1 year' })
// error: 5 fortnights
idem.run('key', () => 1, { ttl: '5 fortnights' })
// error: refesh
idem.run('key', () => 1, { refesh: true })
// error: refesh
idem.fetch('https://a', { idem: { refesh: true } })
// error: dialect
createIdem({ dialect: [] })
