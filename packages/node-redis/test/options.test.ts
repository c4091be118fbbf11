import { randomUUID } from 'node:crypto'
import { startRedis, type TestRedis } from '@idem/testing'
import { createClient, RESP_TYPES } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { cannotConnect, doesAll, everyOneSays, saidOf } from '../../../test/adapters/options.js'
import { type NodeRedisClient, nodeRedisStore } from '../src/index.js'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis({ args: ['--databases', '2'] })
})
afterAll(() => redis.stop())

const clients: { isOpen: boolean; destroy(): void }[] = []
afterEach(() => {
  for (const client of clients.splice(0)) if (client.isOpen) client.destroy()
})

/** Connecting, whether it works or not. */
function connect(options: object, url = redis.url) {
  const client = createClient({ url, ...options })
  client.on('error', () => {})
  client.connect().catch(() => {})
  clients.push(client)
  return client
}

function storeOn(client: unknown) {
  return nodeRedisStore(client as NodeRedisClient, { prefix: `${redis.prefix}${randomUUID()}:` })
}

describe('a client made with', () => {
  const { NUMBER, BLOB_STRING, SIMPLE_STRING } = RESP_TYPES
  test.each<[string, object]>([
    ['RESP3', { RESP: 3 }],
    ['RESP2', { RESP: 2 }],
    ['a cache of its own', { RESP: 3, clientSideCache: { ttl: 60_000, maxEntries: 100 } }],
    ['numbers as text', { commandOptions: { typeMapping: { [NUMBER]: String } } }],
    [
      'strings as Buffers',
      { commandOptions: { typeMapping: { [BLOB_STRING]: Buffer, [SIMPLE_STRING]: Buffer } } },
    ],
    ['no offline queue', { disableOfflineQueue: true }],
    ['another database', { database: 1 }],
    ['a name', { name: 'app' }],
    ['a command timeout', { commandOptions: { timeout: 5_000 } }],
    ['a short queue', { commandsQueueMaxLength: 50 }],
  ])('%s does all that the protocol needs', async (_, options) => {
    await doesAll(storeOn(connect(options)))
  })

  test('command options of its own (withTypeMapping) does all that the protocol needs', async () => {
    await doesAll(storeOn(connect({}).withTypeMapping({ [NUMBER]: String })))
  })

  test('many stores carries no more listeners than with one', () => {
    const client = connect({})
    const count = () => client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0)
    storeOn(client)
    const before = count()
    for (let each = 0; each < 20; each++) storeOn(client)
    expect(count()).toBe(before)
  })
})

cannotConnect((url, password) => storeOn(connect(password === undefined ? {} : { password }, url)))

test('a client that cannot connect since its `reconnectStrategy` gave up says why it had to', async () => {
  const client = connect({ socket: { reconnectStrategy: false } }, 'redis://127.0.0.1:1')
  everyOneSays((await saidOf(storeOn(client))).said, /ECONNREFUSED/)
})
