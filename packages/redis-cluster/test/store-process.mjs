// One handle of a store in a process of its own, for the tests of the kit that need two.
import { serveStore } from '@idem/conformance'
import { redisClusterStore } from '@idem/redis-cluster'
import { connect } from './connect.mjs'

const { clientName, prefix, ...where } = JSON.parse(process.env.HANDLE)

await serveStore(async () => {
  const { client, close } = await connect[clientName](where)
  const store = redisClusterStore(client, { prefix })
  return { store, close: () => store.close().then(close) }
})
