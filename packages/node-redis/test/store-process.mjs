// One handle of a store in a process of its own, for the tests of the kit that need two.
import { serveStore } from '@idem/conformance'
import { nodeRedisStore } from '@idem/node-redis'
import { connect } from './connect.mjs'

const { clientName, url, prefix } = JSON.parse(process.env.HANDLE)

await serveStore(async () => {
  const client = await connect(clientName, { url })
  const store = nodeRedisStore(client, { prefix })
  return { store, close: () => store.close().then(() => client.destroy()) }
})
