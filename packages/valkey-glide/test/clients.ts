import { randomUUID } from 'node:crypto'
import type { StoreUnderTest } from '@idem/conformance'
import { killConnections } from '@idem/testing'
import { GlideClient, GlideClusterClient, Logger } from '@valkey/valkey-glide'
import { valkeyGlideStore } from '../src/index.js'

// Otherwise it prints every refusal of a server, even the first NOSCRIPT of each script.
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
        disrupt: () => killConnections(urls, clientName),
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
