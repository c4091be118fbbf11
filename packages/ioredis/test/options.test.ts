import { randomUUID } from 'node:crypto'
import { startRedis, type TestRedis } from '@idem/testing'
import { Command, Redis, type RedisOptions } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { cannotConnect, doesAll, everyOneSays, saidOf, withPassword } from '../../../test/adapters/options.js'
import { ioredisStore } from '../src/index.js'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis({ args: ['--databases', '2'] })
})
afterAll(() => redis.stop())

const clients: Redis[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})
function connect(options: RedisOptions, url = redis.url): Redis {
  const client = new Redis(url, options)
  clients.push(client)
  return client
}

describe('a client made with', () => {
  test.each<[string, RedisOptions]>([
    ['enableAutoPipelining', { enableAutoPipelining: true }],
    [
      'enableAutoPipelining without an offline queue',
      { enableAutoPipelining: true, enableOfflineQueue: false },
    ],
    ['stringNumbers', { stringNumbers: true }],
    ['RESP3', { protocol: 3 } as RedisOptions],
    ['RESP3 and its own shapes', { protocol: 3, replyMapping: 'resp3' } as RedisOptions],
    ['readOnly', { readOnly: true }],
    ['showFriendlyErrorStack', { showFriendlyErrorStack: true }],
    ['another database', { db: 1 }],
    ['no ready check', { enableReadyCheck: false }],
    ['no resending', { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 }],
    ['commandTimeout', { commandTimeout: 5_000 }],
    ['a name', { connectionName: 'app' }],
  ])('%s does all that the protocol needs', async (_, options) => {
    await doesAll(ioredisStore(connect(options), { prefix: `${redis.prefix}${randomUUID()}:` }))
  })

  test('transformers of its own does all that the protocol needs', async () => {
    const get = vi.fn(() => 'spoilt')
    Command.setReplyTransformer('get', get)
    Command.setArgumentTransformer('set', () => ['spoilt', 'too'])
    try {
      await doesAll(ioredisStore(connect({}), { prefix: `${redis.prefix}${randomUUID()}:` }))
      expect(get).not.toHaveBeenCalled()
    } finally {
      const { _transformer } = Command as unknown as { _transformer: Record<string, Record<string, unknown>> }
      delete _transformer.reply?.get
      delete _transformer.argument?.set
    }
  })

  test('many stores carries no more listeners than with one', () => {
    const client = connect({})
    const count = () => client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0)
    ioredisStore(client)
    const before = count()
    for (let each = 0; each < 20; each++) ioredisStore(client)
    expect(count()).toBe(before)
  })
})

cannotConnect((url, password) => ioredisStore(connect(password === undefined ? {} : { password }, url)))

describe('a client that cannot connect', () => {
  test('since it has no password says so', async () => {
    const guarded = await withPassword()
    everyOneSays((await saidOf(ioredisStore(connect({}, guarded.url)))).said, /NOAUTH/)
    await guarded.stop()
  })

  test('since it speaks TLS to a server that does not says so', async () => {
    const { said } = await saidOf(ioredisStore(connect({ tls: {}, connectTimeout: 300 })))
    // The server waits for the rest of what it takes for a command.
    everyOneSays(said, /ETIMEDOUT/)
  })
})
