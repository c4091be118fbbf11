import { createIdem } from '@idem/core'
import {
  countConnections,
  startRedis,
  startRedisCluster,
  type TestCluster,
  type TestRedis,
} from '@idem/testing'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ValkeyGlideClient, valkeyGlideStore } from '../src/index.js'
import { connect, connectCluster } from './clients.js'

let redis: TestRedis
let cluster: TestCluster
let urls: string[]
beforeAll(async () => {
  ;[redis, cluster] = await Promise.all([startRedis(), startRedisCluster()])
  urls = cluster.nodes.map(({ url }) => url)
}, 60_000)
afterAll(() => Promise.all([redis.stop(), cluster.stop()]))

describe('what cannot be used is refused at once, with what to do instead', () => {
  const invalid = (message: RegExp) =>
    expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT', message: expect.stringMatching(message) })

  const [port, lazyConnect] = [1, true]
  test.each([
    ['a client of ioredis', new Redis({ lazyConnect }), /ioredisStore.*@idem\/ioredis/],
    [
      'a Cluster of ioredis',
      new Cluster([{ port }], { lazyConnect }),
      /redisClusterStore.*@idem\/redis-cluster/,
    ],
    ['a client of node-redis', createClient(), /nodeRedisStore.*@idem\/node-redis/],
    [
      'a cluster of node-redis',
      createCluster({ rootNodes: [{ socket: { port } }] }),
      /redisClusterStore.*@idem\/redis-cluster/,
    ],
    ['a client that was not awaited', Promise.resolve({ customCommand() {} }), /await GlideClient/],
    ['undefined', undefined, /await GlideClient/],
    ['null', null, /await GlideClient/],
    ['{}', {}, /await GlideClient/],
    ['a URL', 'redis://127.0.0.1', /await GlideClient/],
  ])('%s', (_, client, message) => {
    expect(() => valkeyGlideStore(client as never)).toThrow(invalid(message))
  })

  test('a closed one', async () => {
    const client = await connect(redis.url)
    client.close()
    expect(() => valkeyGlideStore(client)).toThrow(invalid(/was closed/))
  })

  test('a subscriber that is a client, or for a GlideClient; a prefix with braces; an option there is not', async () => {
    const [one, many] = await Promise.all([connect(redis.url), connectCluster(urls)])
    const refused = (client: ValkeyGlideClient, options: object, message: RegExp) =>
      expect(() => valkeyGlideStore(client, options)).toThrow(invalid(message))
    refused(many, { subscriber: many }, /subscriber must be a function/)
    refused(one, { subscriber: () => many }, /no subscriber for a GlideClient/)
    refused(many, { prefix: 'a{b}' }, /prefix/)
    refused(many, { prefx: 'a' }, /prefx/)
    one.close()
    many.close()
  })
})

describe('the client that was given', () => {
  test('is never closed; the one made for hints is, with the store or soon after the client', async () => {
    for (const [how, end] of [
      ['store', (store: { close(): unknown }) => store.close()],
      ['client', (_: unknown, client: { close(): void }) => client.close()],
    ] as const) {
      const client = await connectCluster(urls)
      const clientName = `hints ends with the ${how}`.replaceAll(' ', '-')
      const subscriber = (config: object) => connectCluster(urls, { ...config, clientName })
      const store = valkeyGlideStore(client, { prefix: cluster.prefix, subscriber })
      await store.watch!('key', () => {}).ready
      expect(await countConnections(urls, clientName)).toBeGreaterThan(0)
      await end(store, client)
      await vi.waitFor(async () => expect(await countConnections(urls, clientName)).toBe(0), {
        timeout: 10_000,
      })
      if (how === 'store') expect(await client.ping()).toBe('PONG')
      client.close()
    }
  })

  test('closed later makes calls go on without it', async () => {
    const client = await connect(redis.url)
    const idem = createIdem({ store: valkeyGlideStore(client), logger: { warn() {} } })
    client.close()
    expect(await idem.run('key', () => 1)).toBe(1)
    expect(idem.stats().failedOpen).toBe(1)
    await idem.close()
  })

  test('may read from replicas: idem asks the primaries all the same', async () => {
    // A replica is known to clients once it has replicated something.
    const writing = await connectCluster(urls)
    const writer = valkeyGlideStore(writing, { prefix: cluster.prefix })
    const keys = Array.from({ length: 60 }, (_, index) => `read${index}`)
    await Promise.all(keys.map((key) => writer.leaveNote(key, 'owner', Buffer.from('ending'), 60_000)))
    const listed = async () =>
      (await ask(urls[0]!, (one) => one.cluster('SLOTS') as Promise<unknown[][]>)).map(
        (range: unknown[]) => range.length,
      )
    await vi.waitFor(async () => expect(await listed()).toEqual([4, 4, 4]), { timeout: 20_000 })
    const client = await connectCluster(urls, { readFrom: 'preferReplica' })
    const store = valkeyGlideStore(client, { prefix: cluster.prefix })
    for (const key of keys) expect(await store.readNote(key, 'owner')).toBeDefined()
    const replicas = await Promise.all(urls.map((url) => ask(url, (one) => one.info('all'))))
    expect(replicas.filter((info) => info.includes('role:slave') && info.includes('cmdstat_get:'))).toEqual(
      [],
    )
    client.close()
    writing.close()
  })
})

describe('hints', () => {
  test('are tried for again when the client for them could not be made', async () => {
    const client = await connectCluster(urls)
    const subscriber = vi.fn((config: object) => connectCluster(urls, config))
    subscriber.mockRejectedValueOnce(new Error('no connection'))
    const store = valkeyGlideStore(client, { prefix: cluster.prefix, subscriber })
    await expect(store.watch!('first', () => {}).ready).rejects.toThrow('no connection')
    await store.watch!('second', () => {}).ready
    expect(subscriber).toHaveBeenCalledTimes(2)
    await store.close()
    client.close()
  })

  test('arrive from the moment a channel is ready, also while it is still being left', async () => {
    const client = await connectCluster(urls)
    const subscriber = (config: object) => connectCluster(urls, config)
    const store = valkeyGlideStore(client, { prefix: cluster.prefix, subscriber })
    for (let round = 0; round < 300; round++) {
      const key = `key${round % 20}`
      const before = store.watch!(key, () => {})
      await before.ready
      before.stop()
      await new Promise((resolve) => setTimeout(resolve, round % 3))
      const heard = vi.fn()
      const watch = store.watch!(key, heard)
      await watch.ready
      await store.acquire(key, { owner: `owner${round}`, fingerprint: 'fingerprint' }, 60_000)
      await store.release(key, `owner${round}`)
      await vi.waitFor(() => expect(heard).toHaveBeenCalled(), { timeout: 20_000, interval: 2 })
      watch.stop()
    }
    await store.close()
    client.close()
  })
})

/** Of one node, whatever its part in the cluster. */
async function ask<T>(url: string, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url)
  try {
    return await question(client)
  } finally {
    client.disconnect()
  }
}
