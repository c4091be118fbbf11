import { randomUUID } from 'node:crypto'
import type { StoreUnderTest } from '@idem/conformance'
import { GlideClient, GlideClusterClient, Logger } from '@valkey/valkey-glide'
import { Redis } from 'ioredis'
import { valkeyGlideStore } from '../src/index.js'

// It prints every refusal of a server otherwise, the first NOSCRIPT of each script too.
Logger.init('off')

/** One server, or the nodes of a cluster. */
export interface Where {
  readonly urls: readonly string[]
  readonly prefix: string
}

export type Kind =
  | 'GlideClient'
  | 'GlideClusterClient with a subscriber'
  | 'GlideClusterClient without a subscriber'

/** How the kit opens handles, each with clients of its own as another process would have. */
export function underTest(kind: Kind, where: () => Where): StoreUnderTest {
  return {
    async open() {
      const { urls, prefix } = where()
      const clientName = randomUUID()
      const create = (config?: object) =>
        kind === 'GlideClient'
          ? connect(urls[0]!, { clientName })
          : connectCluster(urls, { clientName, ...config })
      const client = await create()
      const subscriber = kind.endsWith('with a subscriber')
        ? (config: object) => connectCluster(urls, { clientName, ...config })
        : undefined
      const store = valkeyGlideStore(client, { prefix, ...(subscriber && { subscriber }) })
      return {
        store,
        async close() {
          await store.close()
          client.close()
        },
        disrupt: async () => void (await connectionsOf(clientName, urls, 'KILL')),
      }
    },
    fork() {
      const { urls, prefix } = where()
      const settings = settingsOf(urls)
      return {
        module: new URL('./store-process.mjs', import.meta.url),
        env: { HANDLE: JSON.stringify({ kind, settings, prefix }) },
      }
    },
  }
}

export function connect(url: string, config: object = {}): Promise<GlideClient> {
  return GlideClient.createClient({ ...settingsOf([url]), ...config })
}

export function connectCluster(urls: readonly string[], config: object = {}): Promise<GlideClusterClient> {
  return GlideClusterClient.createClient({ ...settingsOf(urls), ...config })
}

function settingsOf(urls: readonly string[]) {
  const { pathname } = new URL(urls[0]!)
  return {
    addresses: urls
      .map((url) => new URL(url))
      .map(({ hostname: host, port }) => ({ host, port: Number(port) })),
    databaseId: Number(pathname.slice(1)),
    // Its default of 250 ms is little for a slow machine that runs every test of the kit at once.
    requestTimeout: 5_000,
  }
}

/** How many connections clients of this name have to these nodes; `KILL` breaks them. */
export async function connectionsOf(name: string, urls: readonly string[], action?: 'KILL'): Promise<number> {
  const counts = urls.map(async (url) => {
    const redis = new Redis(url)
    const lines = String(await redis.client('LIST')).split('\n')
    const ids = lines
      .filter((line) => line.includes(` name=${name} `))
      .map((line) => /^id=(\d+)/.exec(line)![1]!)
    if (action) await Promise.all(ids.map((id) => redis.call('CLIENT', 'KILL', 'ID', id)))
    redis.disconnect()
    return ids.length
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}
