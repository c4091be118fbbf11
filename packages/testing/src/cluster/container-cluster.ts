import { randomBytes } from 'node:crypto'
import { containerArgs, startContainer } from '../redis/containers.js'

/** A real Redis Cluster in one container: three masters, each with a replica. */
export interface TestClusterContainer {
  /** Where a cluster client may begin, as seen from here. */
  readonly seeds: { host: string; port: number }[]
  /** From the address a node announces to where it is reached: `natMap` of ioredis, `nodeAddressMap` of node-redis. */
  readonly natMap: Record<string, { host: string; port: number }>
  /** Random and unique for each handle. Not a hash tag: keys with it are spread over the slots. */
  readonly prefix: string
  /** Removes the container. May be called twice. */
  stop(): Promise<void>
}

/** Options of {@link startRedisClusterContainer}. */
export interface StartRedisClusterContainerOptions {
  /** Further arguments for every `redis-server`. @default none */
  args?: string[]
}

const ports = [7000, 7001, 7002, 7003, 7004, 7005]
const ready = 'The cluster is ready'

/** The nodes talk to each other on the container's own 127.0.0.1, and announce that. */
const script = `
cd /tmp
for port in ${ports.join(' ')}; do
  mkdir $port
  "$REDIS_SERVER" "$@" --port $port --dir /tmp/$port &
  server=$!
  until "$REDIS_CLI" -p $port ping 2>/dev/null | grep -q PONG; do
    kill -0 $server || exit 1
    sleep 0.1
  done
done
"$REDIS_CLI" --cluster create ${ports.map((port) => `127.0.0.1:${port}`).join(' ')} \
  --cluster-replicas 1 --cluster-yes || exit 1
for port in ${ports.join(' ')}; do
  until "$REDIS_CLI" -p $port cluster info | grep -q cluster_state:ok; do sleep 0.1; done
  until [ $("$REDIS_CLI" -p $port cluster nodes | grep -c slave) -eq 3 ]; do sleep 0.1; done
  while "$REDIS_CLI" -p $port info replication | grep -q master_link_status:down; do sleep 0.1; done
done
echo '${ready}'
wait`

/**
 * Starts six servers in one container of the image `IDEM_TEST_REDIS_IMAGE` names (see `startRedis`) and
 * resolves when they are a working cluster; rejects telling in one sentence what to do where there is no
 * container engine. What `startRedisCluster` is for, killing, pausing and resharding nodes, needs servers
 * that are processes of this machine. Ends with `stop()` or with this process, however it ends.
 */
export async function startRedisClusterContainer(
  options: StartRedisClusterContainerOptions = {},
): Promise<TestClusterContainer> {
  const clusterArgs = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']
  const container = await startContainer({
    script,
    args: [...containerArgs, ...clusterArgs, '--repl-diskless-sync-delay', '0', ...(options.args ?? [])],
    ports,
    ready: new RegExp(ready),
  })
  const reached = (inside: number) => ({ host: container.host, port: container.port(inside) })
  return {
    seeds: ports.map(reached),
    natMap: Object.fromEntries(ports.map((inside) => [`127.0.0.1:${inside}`, reached(inside)])),
    prefix: `idem-test:${randomBytes(8).toString('hex')}:`,
    stop: container.stop,
  }
}
