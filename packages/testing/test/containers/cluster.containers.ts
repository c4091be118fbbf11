import { Cluster, Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startRedisClusterContainer, type TestClusterContainer } from '../../src/index.js'

let cluster: TestClusterContainer
const clients: Cluster[] = []
beforeAll(async () => {
  cluster = await startRedisClusterContainer()
})
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})
afterAll(() => cluster.stop())

function connect(options = {}): Cluster {
  const client = new Cluster(cluster.seeds, { natMap: cluster.natMap, ...options })
  client.on('error', () => {})
  clients.push(client)
  return client
}

test('keys of every master are written and read through the map', async () => {
  const client = connect()
  const keys = Array.from({ length: 30 }, (_, index) => `${cluster.prefix}${index}`)
  for (const key of keys) await client.set(key, key)
  expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys)
  const held = await Promise.all(client.nodes('master').map((master) => master.dbsize()))
  expect(held).toHaveLength(3)
  for (const count of held) expect(count).toBeGreaterThan(0)
})

test('every master has a replica, which is in sync', async () => {
  const roles = cluster.seeds.map(async ({ host, port }) => {
    const node = new Redis(port, host)
    const [role, , , state] = (await node.role()) as unknown[]
    node.disconnect()
    return role === 'slave' ? state : role
  })
  const sorted = (await Promise.all(roles)).sort()
  expect(sorted).toEqual(['connected', 'connected', 'connected', 'master', 'master', 'master'])
})

test('a sharded message arrives, whichever node has its channel', async () => {
  const subscriber = connect({ shardedSubscribers: true })
  const publisher = connect()
  const channels = ['one', 'two', 'three', 'four', 'five', 'six'].map((name) => cluster.prefix + name)
  const arrived = new Map<string, string>()
  subscriber.on('smessage', (channel: string, message: string) => arrived.set(channel, message))
  for (const channel of channels) await subscriber.ssubscribe(channel)
  for (const channel of channels) await publisher.spublish(channel, `to ${channel}`)
  await expect
    .poll(() => [...arrived].sort())
    .toEqual(channels.map((channel) => [channel, `to ${channel}`]).sort())
})

test('arguments a server does not know are an error with its own words', async () => {
  await expect(startRedisClusterContainer({ args: ['--no-such-setting', 'x'] })).rejects.toThrow(
    /no-such-setting|Bad directive/,
  )
})
