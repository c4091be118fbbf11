import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { type RedisServer, startRedisServer } from '../redis/redis-server.js'
import { ask } from './cluster-view.js'

/** A `redis-server` in cluster mode that this process started. */
export interface ClusterServer extends RedisServer {
  /** Its name in a cluster. */
  id: string
  host: string
  /** Where nodes talk to each other. */
  busPort: number
}

const startAttempts = 5

/** Of nodes that are to fail over in seconds, and otherwise to stay what a test made them. */
const clusterArgs = [
  ...['--cluster-enabled', 'yes'],
  ...['--cluster-node-timeout', '1000'],
  // A test that lost one master still has the others.
  ...['--cluster-require-full-coverage', 'no'],
  // A replica may take over however old its data is: the fresh ones of a test are not refused.
  ...['--cluster-replica-validity-factor', '0'],
  // A master that gave away its last slot stays a master, and a replica stays with its own.
  ...['--cluster-allow-replica-migration', 'no'],
  ...['--repl-diskless-sync-delay', '0'],
]

/** Starts one node that knows no other. */
export async function startClusterServer(args: readonly string[] = []): Promise<ClusterServer> {
  const host = '127.0.0.1'
  for (let attempt = 1; ; attempt++) {
    // Asked for, as the port plus 10000 that is the default may be taken, or be no port at all.
    const busPort = await freePort()
    try {
      const server = await startRedisServer({
        args: [...clusterArgs, '--cluster-port', String(busPort), ...args],
      })
      try {
        return {
          ...server,
          host,
          busPort,
          id: await ask({ host, port: server.port }, (client) => client.cluster('MYID')),
        }
      } catch (error) {
        await server.stop()
        throw error
      }
    } catch (error) {
      // Another process may take the port between finding and binding it.
      if (!(error instanceof Error && error.message.includes('was taken')) || attempt === startAttempts)
        throw error
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
