import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { describe, expect, test } from 'vitest'
import { redisClusterStore } from '../src/index.js'

const nowhere = { host: '127.0.0.1', port: 1 }

describe('a client that cannot be used is refused at once, with what to do instead', () => {
  const invalid = (message: RegExp) =>
    expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT', message: expect.stringMatching(message) })
  const refused = (client: unknown, message: RegExp) =>
    expect(() => redisClusterStore(client as never)).toThrow(invalid(message))

  test('ones of a single server, naming the right package', () => {
    refused(new Redis({ lazyConnect: true }), /ioredisStore.*@idem\/ioredis/)
    refused(createClient(), /nodeRedisStore.*@idem\/node-redis/)
  })

  test('a Cluster of ioredis that was closed', () => {
    const cluster = new Cluster([nowhere], { lazyConnect: true })
    cluster.disconnect()
    refused(cluster, /was closed/)
  })

  test('a cluster of node-redis that was never connected', () => {
    refused(createCluster({ rootNodes: [{ socket: nowhere }] }), /never connected/)
  })

  test('ones with a key prefix', () => {
    refused(new Cluster([nowhere], { lazyConnect: true, keyPrefix: 'app:' }), /\{ prefix \}/)
    const ofNodes = { lazyConnect: true, redisOptions: { keyPrefix: 'app:' } }
    refused(new Cluster([nowhere], ofNodes), /\{ prefix \}/)
  })

  test.each([[undefined], [null], [{}], ['redis://127.0.0.1'], [7]])('%j', (client) => {
    refused(client, /createCluster\(\)/)
  })
})
