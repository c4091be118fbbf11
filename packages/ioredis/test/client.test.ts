import { once } from 'node:events'
import { createServer } from 'node:net'
import { createIdem } from '@idem/core'
import { startRedis, type TestRedis } from '@idem/testing'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ioredisStore } from '../src/index.js'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis({ args: ['--databases', '1'] })
})
afterAll(() => redis.stop())

describe('a client that cannot be used is refused at once, with what to do instead', () => {
  const invalid = (message: RegExp) =>
    expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT', message: expect.stringMatching(message) })

  test('a closed one', async () => {
    const client = new Redis(redis.url)
    await client.quit()
    await vi.waitFor(() => expect(client.status).toBe('end'), { timeout: 20_000 })
    expect(() => ioredisStore(client)).toThrow(invalid(/was closed/))
  })

  test('one with keyPrefix', () => {
    const client = new Redis({ lazyConnect: true, keyPrefix: 'app:' })
    expect(() => ioredisStore(client)).toThrow(invalid(/\{ prefix \}/))
  })

  test('a Cluster', () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true })
    expect(() => ioredisStore(cluster as never)).toThrow(invalid(/redisClusterStore.*@idem\/redis-cluster/))
  })

  test.each([[undefined], [{}], ['redis://127.0.0.1'], [{ get() {}, set() {} }]])('%j', (client) => {
    expect(() => ioredisStore(client as never)).toThrow(invalid(/new Redis\(url\)/))
  })

  test('a prefix with braces, which would move keys between the slots of a cluster', () => {
    const client = new Redis({ lazyConnect: true })
    expect(() => ioredisStore(client, { prefix: 'a{b}' })).toThrow(invalid(/prefix/))
  })
})

test('the commands of one turn of the event loop leave in one write, and nothing waits longer for it', async () => {
  const client = new Redis(redis.url)
  await once(client, 'ready')
  const idem = createIdem({ store: ioredisStore(client) })
  await Promise.all(Array.from({ length: 64 }, (_, key) => idem.run(`turn ${key}`, () => key)))
  const stream = client.stream as unknown as Record<'_write' | '_writev', () => void>
  const [together, single] = [vi.spyOn(stream, '_writev'), vi.spyOn(stream, '_write')]
  const replays = Array.from({ length: 64 }, (_, key) => idem.run(`turn ${key}`, () => 'again'))
  expect(await Promise.all(replays)).toEqual(Array.from({ length: 64 }, (_, key) => key))
  expect([together.mock.calls.length, single.mock.calls.length]).toEqual([1, 0])
  await idem.run('turn 0', () => 'again')
  await idem.close()
  client.disconnect()
})

test('a server older than 7 is reported once: calls go on without it, or are refused as asked', async () => {
  // Answers as Redis 6.2 does, which does not know this form of one command.
  const server = createServer((socket) => {
    socket.on('data', (data) => {
      const count = data.toString().match(/^\*\d+\r\n/gm)?.length ?? 0
      const isAcquire = /\r\nNX\r\n.*\r\nGET\r\n/s.test(data.toString())
      socket.write(isAcquire ? '-ERR syntax error\r\n' : '+OK\r\n'.repeat(count))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const client = new Redis({ port, enableReadyCheck: false })
  const warn = vi.fn()
  const idem = createIdem({ store: ioredisStore(client), logger: { warn } })
  const unsupported = { code: 'IDEM_UNSUPPORTED_SERVER', message: /7\.0/ }
  await expect(idem.ready()).rejects.toMatchObject(unsupported)
  const work = vi.fn()
  await expect(idem.run('key', work, { ifStoreFails: 'reject' })).rejects.toMatchObject(unsupported)
  expect(work).not.toHaveBeenCalled()
  expect(await idem.run('key', () => 1)).toBe(1)
  expect(await idem.run('other key', () => 2)).toBe(2)
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/7\.0/)]])
  client.disconnect()
  server.close()
})

describe('the client that was given', () => {
  test('is never closed; the connection made from it is', async () => {
    const client = new Redis(redis.url)
    const [a, b] = [1, 2].map(() => createIdem({ store: ioredisStore(client, { prefix: redis.prefix }) }))
    let finish = () => {}
    const first = a!.run('key', () => new Promise<void>((resolve) => (finish = resolve)))
    const waiter = b!.run('key', () => {})
    const connections = async () => Number(/connected_clients:(\d+)/.exec(await client.info('clients'))?.[1])
    await vi.waitFor(async () => expect(await connections()).toBe(2), { timeout: 20_000 })
    finish()
    await Promise.all([first, waiter])
    await Promise.all([a!.close(), b!.close()])
    await vi.waitFor(async () => expect(await connections()).toBe(1), { timeout: 20_000 })
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  })

  test.each([
    ['still connecting', {}],
    ['made with lazyConnect', { lazyConnect: true }],
    ['without an offline queue', { enableOfflineQueue: false }],
  ])('is awaited when it is %s: the first call is shared', async (_, options) => {
    const client = new Redis(redis.url, options)
    const idem = createIdem({ store: ioredisStore(client, { prefix: `${redis.prefix}${_}` }) })
    await idem.run('key', () => 1)
    expect(await idem.runWithOutcome('key', () => 2)).toEqual({ value: 1, outcome: 'replayed' })
    expect(idem.stats().failedOpen).toBe(0)
    await idem.close()
    client.disconnect()
  })

  test('closed later makes calls go on without it', async () => {
    const client = new Redis(redis.url)
    const idem = createIdem({ store: ioredisStore(client), logger: { warn() {} } })
    await client.quit()
    expect(await idem.run('key', () => 1)).toBe(1)
    expect(idem.stats().failedOpen).toBe(1)
  })
})

describe('a server that takes no writes', () => {
  test('still replays what it has, and calls go on', async () => {
    const small = await startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] })
    const client = new Redis(small.url)
    const idem = createIdem({ store: ioredisStore(client), logger: { warn() {} } })
    await idem.run('stored', () => 'kept')
    const fill = async () => {
      for (let index = 0; ; index++) await client.set(`filler:${index}`, 'x'.repeat(100_000))
    }
    await expect(fill()).rejects.toThrow(/OOM/)
    expect(await idem.runWithOutcome('stored', () => 'again')).toEqual({ value: 'kept', outcome: 'replayed' })
    expect(await idem.runWithOutcome('new', () => 'made')).toEqual({ value: 'made', outcome: 'executed' })
    await idem.close()
    client.disconnect()
    await small.stop()
  })
})
