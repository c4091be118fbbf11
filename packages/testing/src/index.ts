export {
  type ClusterNode,
  type StartRedisClusterOptions,
  startRedisCluster,
  type TestCluster,
} from './cluster.js'
export type { ClusterCommandCount } from './cluster-monitor.js'
export type { ReshardOptions, ReshardProgress } from './cluster-reshard.js'
export { countConnections, killConnections } from './connections.js'
export {
  type StartRedisClusterContainerOptions,
  startRedisClusterContainer,
  type TestClusterContainer,
} from './container-cluster.js'
export { prepareContainers } from './containers.js'
export { type FaultProxy, startFaultProxy } from './fault-proxy.js'
export { type GatedReply, gatedReply } from './gated-reply.js'
export { ensureInstalled, ensureRedisServer } from './install.js'
export type { WireMessage, WireUsage } from './messages-wire.js'
export { type CommandCount, countCommands } from './monitor.js'
export { type Provider, type Responder, startProvider } from './provider.js'
export type { ReceivedCall } from './received-call.js'
export { type StartRedisOptions, startRedis, type TestRedis } from './redis.js'
export { type RedisServer, type StartRedisServerOptions, startRedisServer } from './redis-server.js'
export type { ReplyScript } from './reply-script.js'
export { serveWorker, type WorkerServer } from './serve-worker.js'
export { statesOf, type Watcher } from './states-of.js'
export type { ContentBlock, WireError, WireEvent } from './wire.js'
export { type SpawnWorkerOptions, spawnWorker, type Worker, type WorkerExit } from './worker.js'
