// One handle of a store in a process of its own, for the tests of the kit that need two.
import { serveStore } from '@idem/conformance'
import { valkeyGlideStore } from '@idem/valkey-glide'
import { GlideClient, GlideClusterClient, Logger } from '@valkey/valkey-glide'

Logger.init('off')
const { kind, settings, prefix } = JSON.parse(process.env.HANDLE)

await serveStore(async () => {
  const create = (config) =>
    (kind === 'GlideClient' ? GlideClient : GlideClusterClient).createClient({ ...settings, ...config })
  const client = await create()
  const subscriber = kind.endsWith('with a subscriber') ? create : undefined
  const store = valkeyGlideStore(client, { prefix, subscriber })
  return { store, close: async () => client.close() }
})
