export { messagesDialect } from './dialect.js'
export { idempotency, withIdem } from './middleware.js'
export type { IdemRequestOptions } from './request-options.js'
