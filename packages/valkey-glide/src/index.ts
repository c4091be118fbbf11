export type { ValkeyGlideClient, ValkeyGlideSubscriber } from './valkey-glide-client.js'
export { type ValkeyGlideStoreOptions, valkeyGlideStore } from './valkey-glide-store.js'
export type { OpenSubscriber, SubscriberConfig } from './valkey-glide-subscriber.js'
