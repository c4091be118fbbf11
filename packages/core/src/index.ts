export * from './errors/index.js'
export type {
  Dialect,
  HttpAnswer,
  HttpRequest,
  Identity,
  StreamFormat,
  StreamInspector,
} from './http/dialect.js'
export type { CallOptions, Exchange } from './http/door.js'
export type { IdemRequestInit } from './http/fetch.js'
export { createIdem, type Idem, type Outcome, type RunOptions, type WorkContext } from './idem.js'
export { type MemoryStoreOptions, memoryStore } from './memory-store.js'
export type { IdemOptions } from './settings.js'
export type { Stats, Tokens } from './stats.js'
export type * from './store.js'
