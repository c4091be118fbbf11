import './fetch-options.js'

export { messagesDialect } from './dialect.js'
export { type EffectContext, type EffectOptions, effectsOnce } from './effects.js'
export { idempotency, withIdem } from './middleware.js'
export type { IdemRequestOptions, WithIdem } from './request-options.js'
