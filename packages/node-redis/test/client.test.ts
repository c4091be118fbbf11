import { createServer } from 'node:net'
import { createIdem, type Idem } from '@idem/core'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis, Cluster as RedisCluster } from 'ioredis'
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { nodeRedisStore } from '../src/index.js'

type Client = ReturnType<typeof create>
const create = (options: object = {}) => createClient({ url: redis.url, ...options })

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis({ args: ['--databases', '1'] })
})
afterAll(() => redis.stop())

describe('a client that cannot be used is refused at once, with what to do instead', () => {
  const invalid = (message: RegExp) =>
    expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT', message: expect.stringMatching(message) })

  test.each(['close', 'destroy'] as const)('one after %s()', async (end) => {
    const client = await create().connect()
    await client[end]()
    expect(() => nodeRedisStore(client)).toThrow(invalid(/was closed/))
  })

  test('one that was never connected', () => {
    expect(() => nodeRedisStore(create())).toThrow(invalid(/connect\(\) was not called/))
  })

  test('one with keyPrefix', async () => {
    const client = await create({ keyPrefix: 'app:' }).connect()
    expect(() => nodeRedisStore(client)).toThrow(invalid(/\{ prefix \}/))
    client.destroy()
  })

  const [port, host, lazyConnect] = [1, '127.0.0.1', true]
  test.each([
    [
      'a cluster',
      createCluster({ rootNodes: [{ socket: { port } }] }),
      /redisClusterStore.*@idem\/redis-cluster/,
    ],
    [
      'a Cluster of ioredis',
      new RedisCluster([{ port }], { lazyConnect }),
      /redisClusterStore.*@idem\/redis-cluster/,
    ],
    ['a client of ioredis', new Redis({ lazyConnect }), /ioredisStore.*@idem\/ioredis/],
    ['a pool', createClientPool(), /createClient\(/],
    ['a sentinel', createSentinel({ name: 'any', sentinelRootNodes: [{ host, port }] }), /createClient\(/],
    ['undefined', undefined, /createClient\(/],
    ['{}', {}, /createClient\(/],
    ['a URL', 'redis://127.0.0.1', /createClient\(/],
    ['something with get and set', { get() {}, set() {}, sendCommand() {} }, /createClient\(/],
  ])('%s', (_, client, message) => {
    expect(() => nodeRedisStore(client as never)).toThrow(invalid(message))
  })

  test('a prefix with braces, which would move keys between the slots of a cluster', async () => {
    const client = await create().connect()
    expect(() => nodeRedisStore(client, { prefix: 'a{b}' })).toThrow(invalid(/prefix/))
    client.destroy()
  })
})

test('a server older than 7 is reported once: calls go on without it, or are refused as asked', async () => {
  // Answers as Redis 6.2 does: every command but the one it does not know in this form.
  const server = createServer((socket) => {
    socket.on('data', (data) => {
      const count = data.toString().match(/^\*\d+\r\n/gm)?.length ?? 0
      const isAcquire = /\r\nNX\r\n.*\r\nGET\r\n/s.test(data.toString())
      socket.write(isAcquire ? '-ERR syntax error\r\n' : '+OK\r\n'.repeat(count))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const client = await create({ url: `redis://127.0.0.1:${port}` }).connect()
  const warn = vi.fn()
  const idem = createIdem({ store: nodeRedisStore(client), logger: { warn } })
  const unsupported = { code: 'IDEM_UNSUPPORTED_SERVER', message: /7\.0/ }
  await expect(idem.ready()).rejects.toMatchObject(unsupported)
  const work = vi.fn()
  await expect(idem.run('key', work, { ifStoreFails: 'reject' })).rejects.toMatchObject(unsupported)
  expect(work).not.toHaveBeenCalled()
  expect(await idem.run('key', () => 1)).toBe(1)
  expect(await idem.run('other key', () => 2)).toBe(2)
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/7\.0/)]])
  client.destroy()
  server.close()
})

describe('the client that was given', () => {
  test('is never closed; the connection made from it is', async () => {
    const client = await create().connect()
    const [a, b] = [1, 2].map(() => createIdem({ store: nodeRedisStore(client, { prefix: redis.prefix }) }))
    let finish = () => {}
    const first = a!.run('key', () => new Promise<void>((resolve) => (finish = resolve)))
    const waiter = b!.run('key', () => {})
    await vi.waitFor(async () => expect(await connections(client)).toBe(2), { timeout: 20_000 })
    finish()
    await Promise.all([first, waiter])
    await Promise.all([a!.close(), b!.close()])
    await vi.waitFor(async () => expect(await connections(client)).toBe(1), { timeout: 20_000 })
    expect(await client.ping()).toBe('PONG')
    client.destroy()
  })

  test('leaves no connection behind when the store is closed while it opens its own', async () => {
    const client = await create().connect()
    const store = nodeRedisStore(client, { prefix: redis.prefix })
    const made = vi.spyOn(client, 'duplicate')
    const { ready } = store.watch!('key', () => {})
    await store.close()
    await expect(ready).rejects.toMatchObject({ code: 'IDEM_STORE_ERROR' })
    const connection = made.mock.results[0]!.value as typeof client
    // Its socket connects all the same, and is then closed.
    await vi.waitFor(() => expect(connection.socketEpoch).toBe(1), { timeout: 20_000 })
    await vi.waitFor(async () => expect(await connections(client)).toBe(1), { timeout: 20_000 })
    client.destroy()
  })

  test.each([
    ['still connecting', {}],
    ['still connecting without an offline queue', { disableOfflineQueue: true }],
    ['made with a type mapping of its own', typeMapping({ [RESP_TYPES.NUMBER]: String })],
    ['made to give strings as Buffers', typeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })],
  ])('is awaited when it is %s: the first call is shared', async (name, options) => {
    const client = create(options)
    const connected = client.connect()
    const idem = createIdem({ store: nodeRedisStore(client, { prefix: `${redis.prefix}${name}` }) })
    await idem.run('key', () => 1)
    expect(await idem.runWithOutcome('key', () => 2)).toEqual({ value: 1, outcome: 'replayed' })
    expect(idem.stats().failedOpen).toBe(0)
    await idem.close()
    await connected
    client.destroy()
  })

  test('still tells everyone of its events after we have waited for it, also when nobody else listened', async () => {
    const client = create()
    const idem = createIdem({ store: nodeRedisStore(unheard(client), { prefix: redis.prefix }) })
    await idem.run('waited for the first connection', () => 1)
    const ended = vi.fn()
    client.on('end', ended)
    await client.close()
    expect(ended).toHaveBeenCalledTimes(1)
    unheard(client)
    await idem.run('waited for the second connection', () => 1)
    expect(idem.stats().failedOpen).toBe(0)
    await idem.close()
    client.destroy()
  })

  test.each([
    ['closed later', (client: Client) => client.close()],
    ['destroyed later', (client: Client) => client.destroy()],
  ])('%s makes calls go on without it', async (_, end) => {
    const client = await create().connect()
    const idem = createIdem({ store: nodeRedisStore(client), logger: { warn() {} } })
    await end(client)
    expect(await idem.run('key', () => 1)).toBe(1)
    expect(idem.stats().failedOpen).toBe(1)
    await idem.close()
  })

  test('ends the wait for it when it is closed, or gives up connecting', async () => {
    const nowhere = 'redis://127.0.0.1:1'
    const patient = create({ url: nowhere, socket: { reconnectStrategy: () => 60_000 } })
    const waiting = nodeRedisStore(unheard(patient.on('error', () => {}))).ready()
    patient.destroy()
    await expect(waiting).rejects.toMatchObject({ code: 'IDEM_STORE_ERROR', effect: 'none' })

    const impatient = create({ url: nowhere, socket: { reconnectStrategy: false } })
    const gaveUp = nodeRedisStore(unheard(impatient.on('error', () => {}))).ready()
    await expect(gaveUp).rejects.toMatchObject({ code: 'IDEM_STORE_ERROR', effect: 'none' })
  })
})

describe('a server that takes no writes', () => {
  test.each([2, 3] as const)('still replays what it has, and calls go on (RESP %i)', async (RESP) => {
    const small = await startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] })
    const client = await create({ url: small.url, RESP }).connect()
    const idem: Idem = createIdem({ store: nodeRedisStore(client), logger: { warn() {} } })
    await idem.run('stored', () => 'kept')
    const fill = async () => {
      for (let index = 0; ; index++) await client.set(`filler:${index}`, 'x'.repeat(100_000))
    }
    await expect(fill()).rejects.toThrow(/OOM/)
    expect(await idem.runWithOutcome('stored', () => 'again')).toEqual({ value: 'kept', outcome: 'replayed' })
    expect(await idem.runWithOutcome('new', () => 'made')).toEqual({ value: 'made', outcome: 'executed' })
    await idem.close()
    client.destroy()
    await small.stop()
  })
})

/** Starts to connect, and waits for nothing. */
function unheard(client: Client): Client {
  client.connect().catch(() => {})
  return client
}

function typeMapping(mapping: Record<number, unknown>) {
  return { commandOptions: { typeMapping: mapping } }
}

async function connections(client: { info(section: string): Promise<string> }): Promise<number> {
  return Number(/connected_clients:(\d+)/.exec(await client.info('clients'))?.[1])
}
