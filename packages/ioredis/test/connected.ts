import { Redis } from 'ioredis'
import type { Connected } from '../../../test/adapters/outages.js'
import { ioredisStore } from '../src/index.js'

/** For the suites that all adapters share. */
export async function connected(url: string): Promise<Connected> {
  const client = new Redis(url)
  client.on('error', () => {})
  return {
    store: (prefix) => ioredisStore(client, { prefix }),
    reconnected: () => new Promise((resolve) => client.once('ready', resolve)),
    disconnect: () => client.disconnect(),
  }
}
