export { messagesDialect } from './dialect.js'
export { type IdempotencyOptions, idempotency, withIdem } from './middleware.js'
export type { IdemRequestOptions } from './request-options.js'
