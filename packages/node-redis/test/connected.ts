import { createClient } from 'redis'
import type { Connected } from '../../../test/adapters/outages.js'
import { nodeRedisStore } from '../src/index.js'

/** For the suites that all adapters share. */
export async function connected(options: {
  readonly url: string
  readonly RESP?: 2 | 3
  readonly disableOfflineQueue?: boolean
}): Promise<Connected> {
  const client = createClient(options)
  await client.on('error', () => {}).connect()
  return {
    store: (prefix) => nodeRedisStore(client, { prefix }),
    reconnected: () => new Promise((resolve) => client.once('ready', resolve)),
    disconnect: () => client.destroy(),
  }
}
