import { once } from 'node:events'
import { createConnection } from 'node:net'
import { Redis, type RedisOptions } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { type FaultProxy, startFaultProxy, startRedis, type TestRedis } from '../src/index.js'

let redis: TestRedis
let direct: Redis
let proxy: FaultProxy
let key: string
const clients: Redis[] = []

beforeAll(async () => {
  redis = await startRedis()
  direct = new Redis(redis.url)
})
beforeEach(async ({ task }) => {
  proxy = await startFaultProxy(redis.url)
  key = redis.prefix + task.id
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect()
  await proxy.stop()
  await direct.del(key)
})
afterAll(async () => {
  direct.disconnect()
  await redis.stop()
})

/** A client through the proxy that neither reconnects nor repeats, so that each fault shows as itself. */
async function connect(options: RedisOptions = {}): Promise<Redis> {
  const client = new Redis(proxy.url, { retryStrategy: () => null, lazyConnect: true, ...options })
  clients.push(client)
  client.on('error', () => {})
  await client.connect()
  return client
}

/** True when the promise is still pending after a round trip to the real server, made three times. */
async function pending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const mark = () => {
    settled = true
  }
  promise.then(mark, mark)
  for (let round = 0; round < 3; round++) await direct.ping()
  return !settled
}

test('a proxy without a fault is not noticed, large values included', async () => {
  const client = await connect()
  const value = 'v'.repeat(5_000_000)
  await client.set(key, value)
  expect(await client.get(key)).toBe(value)
  await client.del(key)
})

test('a proxy keeps the database and credentials of its target', async () => {
  const other = await startFaultProxy('redis://someone:secret@127.0.0.1:6379/4')
  const url = new URL(other.url)
  expect([url.username, url.password, url.pathname]).toEqual(['someone', 'secret', '/4'])
  await other.stop()
})

test('a cut ends open connections and refuses new ones until it passes, on the same port', async () => {
  const client = await connect()
  const { url } = proxy
  const closed = new Promise((resolve) => client.once('close', resolve))
  proxy.cut()
  await closed
  await expect(connect()).rejects.toThrow()
  expect(proxy.connections).toBe(0)
  proxy.pass()
  expect(proxy.url).toBe(url)
  expect(await (await connect()).ping()).toBe('PONG')
})

test('a client that reconnects is served again after a cut', async () => {
  const client = await connect({ retryStrategy: () => 5, maxRetriesPerRequest: null })
  proxy.cut()
  const answer = client.set(key, 'after the cut')
  expect(await pending(answer)).toBe(true)
  proxy.pass()
  expect(await answer).toBe('OK')
})

test('a hang forwards nothing and breaks nothing; what was held flows on in order', async () => {
  const client = await connect()
  proxy.hang()
  const answers = Promise.all(['a', 'b', 'c'].map((part) => client.append(key, part)))
  expect(await pending(answers)).toBe(true)
  expect(await direct.get(key)).toBeNull()
  expect(client.status).toBe('ready')
  proxy.pass()
  expect(await answers).toEqual([1, 2, 3])
  expect(await direct.get(key)).toBe('abc')
})

test('a hang holds replies too', async () => {
  const client = await connect()
  const blocked = client.blpop(key, 0)
  expect(await pending(blocked)).toBe(true)
  proxy.hang()
  await direct.rpush(key, 'value')
  expect(await pending(blocked)).toBe(true)
  proxy.pass()
  expect(await blocked).toEqual([key, 'value'])
})

test('a hang accepts new connections that are served when it passes', async () => {
  proxy.hang()
  const connecting = connect()
  expect(await pending(connecting)).toBe(true)
  proxy.pass()
  expect(await (await connecting).ping()).toBe('PONG')
})

test('a delay takes its time both ways, and pieces in flight do not queue behind each other', async () => {
  const client = await connect()
  proxy.delay(50)
  // Time passes as the test says, a ms for each round trip to the server: a slow machine is slow at both.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const answers: Promise<string>[] = []
  for (let piece = 0; piece < 10; piece++) {
    answers.push(client.ping())
    await direct.ping()
  }
  let isAnswered = false
  const all = Promise.all(answers).then(() => {
    isAnswered = true
  })
  let passedMs = 0
  for (; !isAnswered; passedMs++) {
    await vi.advanceTimersByTimeAsync(1)
    await direct.ping()
  }
  await all
  expect(passedMs).toBeGreaterThanOrEqual(100)
  // One behind the other they would take 550.
  expect(passedMs).toBeLessThan(400)
})

test('a delay that ends lets go at once of what it held', async () => {
  const client = await connect()
  proxy.delay(60_000)
  const answer = client.ping()
  expect(await pending(answer)).toBe(true)
  proxy.pass()
  expect(await answer).toBe('PONG')
})

test('a lost reply: the command was executed, its client sees a broken connection', async () => {
  const client = await connect()
  const lost = proxy.dropReplies()
  await expect(client.incr(key)).rejects.toThrow('Connection is closed')
  await lost
  expect(await direct.get(key)).toBe('1')
  expect(await (await connect()).incr(key)).toBe(2)
})

test('a lost reply makes a client that repeats by itself execute twice', async () => {
  const client = await connect({ retryStrategy: () => 1, maxRetriesPerRequest: null })
  const lost = proxy.dropReplies()
  expect(await client.incr(key)).toBe(2)
  await lost
})

test('only as many replies are lost as were asked for', async () => {
  const connections = await Promise.all([connect(), connect(), connect()])
  const lost = proxy.dropReplies(2)
  for (const client of connections.slice(0, 2)) await expect(client.incr(key)).rejects.toThrow()
  await lost
  expect(await connections[2]!.incr(key)).toBe(3)
})

test('a subscriber that sends nothing keeps its connection while a reply of another is lost', async () => {
  const [subscriber, client] = [await connect(), await connect()]
  await subscriber.subscribe(key)
  const message = once(subscriber, 'message')
  void proxy.dropReplies()
  await direct.publish(key, 'hello')
  expect(await message).toEqual([key, 'hello'])
  await expect(client.ping()).rejects.toThrow()
})

test('a client that leaves leaves no connection to Redis behind', async () => {
  const client = await connect()
  const id = String(await client.client('ID'))
  client.disconnect()
  await expect.poll(() => direct.client('LIST', 'ID', id), { timeout: 20_000 }).not.toContain(`id=${id}`)
  expect(proxy.connections).toBe(0)
})

test('a client that is gone without a goodbye leaves no connection behind either', async () => {
  const { hostname, port } = new URL(proxy.url)
  const socket = createConnection(Number(port), hostname)
  socket.write('PING\r\n')
  await once(socket, 'data')
  expect(proxy.connections).toBe(1)
  socket.resetAndDestroy()
  await expect.poll(() => proxy.connections, { timeout: 20_000 }).toBe(0)
})

test('a stopped proxy has closed its connections and its port', async () => {
  const client = await connect()
  const closed = new Promise((resolve) => client.once('close', resolve))
  await proxy.stop()
  await proxy.stop()
  await closed
  await expect(connect()).rejects.toThrow()
})

test('a target that speaks TLS is refused, since the proxy could not be trusted by it', async () => {
  await expect(startFaultProxy('rediss://127.0.0.1:6379')).rejects.toThrow('rediss:')
})
