import { randomUUID } from 'node:crypto'
import type { OpenStore, StoreUnderTest } from '@idem/conformance'
import { killConnections } from '@idem/testing'
import { redisClusterStore } from '../src/index.js'
import { connect } from './connect.mjs'

/** A cluster of processes, or one in a container whose nodes announce other addresses. */
export interface Where {
  readonly seeds: { host: string; port: number }[]
  readonly natMap?: Record<string, { host: string; port: number }>
  readonly prefix: string
}

/** The clients, one of them in two versions. */
export const clientNames = Object.keys(connect) as (keyof typeof connect)[]

/** One more handle, with a client of its own as another process would have. */
export async function openHandle(
  clientName: keyof typeof connect,
  where: Where,
  prefix = where.prefix,
): Promise<Required<OpenStore>> {
  const connectionName = randomUUID()
  const { client, close } = await connect[clientName](where, connectionName)
  const store = redisClusterStore(client, { prefix })
  return {
    store,
    async close() {
      await store.close()
      close()
    },
    disrupt: () =>
      killConnections(
        where.seeds.map(({ host, port }) => `redis://${host}:${port}`),
        connectionName,
      ),
  }
}

/** The store on one of the clients, as the kit takes it. */
export function underTest(clientName: keyof typeof connect, where: () => Where): StoreUnderTest {
  return {
    open: () => openHandle(clientName, where()),
    fork() {
      const { seeds, natMap, prefix } = where()
      return {
        module: new URL('./store-process.mjs', import.meta.url),
        env: { HANDLE: JSON.stringify({ clientName, seeds, natMap, prefix }) },
      }
    },
  }
}
