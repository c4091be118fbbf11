export * from './errors/index.js'
export type { CallEvent, IdemEvents, Logger } from './events.js'
export {
  assertClientOptions,
  type CallOptions,
  type ClientOptions,
  type Policy,
  type PolicyRequest,
} from './http/call-options.js'
export type {
  Assessment,
  Dialect,
  HttpAnswer,
  HttpRequest,
  Identity,
  StreamFormat,
  StreamInspector,
} from './http/dialect.js'
export type { Exchange } from './http/door.js'
export type { IdemRequestInit } from './http/fetch.js'
export { credentialIn, isRetryIn, setIn } from './http/headers.js'
export { eventReader, eventText, inspector, readEvents, type ServerEvent } from './http/server-events.js'
export { createIdem, type Idem, type Outcome, type RunOptions, type WorkContext } from './idem.js'
export { isObject, type JsonObject, parseObject } from './json.js'
export { type MemoryStoreOptions, memoryStore } from './memory-store.js'
export type { IdemOptions } from './settings.js'
export type * from './store.js'
export type { Duration, Ttl, TtlName } from './ttl.js'
export type { FleetStats } from './usage/fleet.js'
export type { ModelPrice, PriceList, Prices } from './usage/prices.js'
export type { SavedBy, Savings, Stats } from './usage/stats.js'
export type { Usage } from './usage/usage.js'
