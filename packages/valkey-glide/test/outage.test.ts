import { randomUUID } from 'node:crypto'
import { startFaultProxy, startRedis } from '@idem/testing'
import { expect, test, vi } from 'vitest'
import { type Connected, outages } from '../../../test/adapters/outages.js'
import { valkeyGlideStore } from '../src/index.js'
import { connect } from './clients.js'

/** For the suites that all adapters share. */
async function connected(url: string): Promise<Connected> {
  const client = await connect(url, { requestTimeout: 250 })
  return {
    store: (prefix) => valkeyGlideStore(client, { prefix }),
    reconnected: () => Promise.reject(new Error('GLIDE does not tell when it is connected again.')),
    disconnect: () => client.close(),
  }
}

outages(connected, 'poll')

test('a server unreachable for longer than a request may take: what was asked meanwhile is not done later', async () => {
  const redis = await startRedis()
  const proxy = await startFaultProxy(redis.url)
  const clients = await Promise.all([proxy.url, redis.url].map(connected))
  const prefix = `${redis.prefix}${randomUUID()}:`
  const [store, direct] = clients.map((client) => client.store(prefix))
  await store!.ready()
  proxy.cut()
  const claim = { owner: 'owner', fingerprint: 'fingerprint' }
  const lost = await Promise.allSettled([1, 2, 3].map((key) => store!.acquire(`queued${key}`, claim, 60_000)))
  expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  proxy.pass()
  await vi.waitFor(() => store!.acquire('back', claim, 60_000), { timeout: 20_000, interval: 50 })
  const found = await Promise.all([1, 2, 3].map((key) => direct!.read(`queued${key}`)))
  expect(found.map(({ state }) => state)).toEqual(['absent', 'absent', 'absent'])
  for (const client of clients) client.disconnect()
  await proxy.stop()
  await redis.stop()
})
