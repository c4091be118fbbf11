// A process with one handle of the store, for the tests of the kit that need two: forked and driven by it.
import { serveStore } from '@idem/conformance'
import { ioredisStore } from '@idem/ioredis'
import { Redis } from 'ioredis'

const { REDIS_URL, PREFIX } = process.env

await serveStore(() => {
  const client = new Redis(REDIS_URL)
  client.on('error', () => {})
  const store = ioredisStore(client, { prefix: PREFIX })
  return {
    store,
    async close() {
      await store.close()
      client.disconnect()
    },
  }
})
