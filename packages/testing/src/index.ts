export {
  type ClusterNode,
  type StartRedisClusterOptions,
  startRedisCluster,
  type TestCluster,
} from './cluster/cluster.js'
export type { ClusterCommandCount } from './cluster/cluster-monitor.js'
export type { ReshardOptions, ReshardProgress } from './cluster/cluster-reshard.js'
export {
  type StartRedisClusterContainerOptions,
  startRedisClusterContainer,
  type TestClusterContainer,
} from './cluster/container-cluster.js'
export { type GatedReply, gatedReply } from './provider/gated-reply.js'
export { type Mutation, mutated } from './provider/mutated.js'
export { type Provider, type Responder, startProvider } from './provider/provider.js'
export type { ReceivedCall } from './provider/received-call.js'
export type { ReplyScript } from './provider/reply-script.js'
export { statesOf, type Watcher } from './provider/states-of.js'
export { countConnections, killConnections } from './redis/connections.js'
export { prepareContainers } from './redis/containers.js'
export { type FaultProxy, startFaultProxy } from './redis/fault-proxy.js'
export { ensureInstalled, ensureRedisServer } from './redis/install.js'
export { type CommandCount, countCommands } from './redis/monitor.js'
export { type StartRedisOptions, startRedis, type TestRedis } from './redis/redis.js'
export { type RedisServer, type StartRedisServerOptions, startRedisServer } from './redis/redis-server.js'
export type { WireMessage, WireUsage } from './wires/messages-wire.js'
export type { ContentBlock, WireError, WireEvent } from './wires/wire.js'
export { serveWorker, type WorkerServer } from './worker/serve-worker.js'
export { type SpawnWorkerOptions, spawnWorker, type Worker, type WorkerExit } from './worker/worker.js'
