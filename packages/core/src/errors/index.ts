export * from './caller-errors.js'
export * from './execution-errors.js'
export * from './idem-error.js'
export * from './store-errors.js'
