// `@idem/core/store`: for packages that implement a store.

export { cleanCause, cleanMessage } from './errors/clean-cause.js'
export { STORE_METHODS } from './store/assert-store.js'
export * from './store/store.js'
