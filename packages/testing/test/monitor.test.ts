import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type CommandCount, countCommands, startRedis, type TestRedis } from '../src/index.js'

let redis: TestRedis
let client: Redis
let count: CommandCount
beforeAll(async () => {
  // Arguments ask for an owned server: on a borrowed one other clients would be counted too.
  redis = await startRedis({ args: ['--databases', '16'] })
  client = new Redis(redis.url)
  count = await countCommands(redis.url)
})
beforeEach(() => count.reset())
afterAll(async () => {
  client.disconnect()
  await count.stop()
  await redis.stop()
})

test('every command that was answered is counted, in order, with its arguments', async () => {
  await client.set('a', 'a "quoted" value')
  await Promise.all(Array.from({ length: 200 }, (_, index) => client.incrby('n', index)))
  const commands = await count.commands()
  expect(commands[0]).toEqual(['set', 'a', 'a "quoted" value'])
  expect(commands.slice(1)).toEqual(Array.from({ length: 200 }, (_, index) => ['incrby', 'n', String(index)]))
})

test('nothing is counted when nothing was sent, however often one asks', async () => {
  expect([await count.commands(), await count.commands()]).toEqual([[], []])
})

test('a reset forgets what was answered before it', async () => {
  await client.get('before')
  await count.reset()
  await client.get('after')
  expect(await count.commands()).toEqual([['get', 'after']])
})

test('opening, naming and closing a connection counts nothing', async () => {
  const other = new Redis(`${redis.url}/3`, { connectionName: 'named', lazyConnect: true })
  await other.connect()
  await other.quit()
  expect(await count.commands()).toEqual([])
})

test('what a script runs inside the server is not counted, the call of the script is', async () => {
  await client.eval("redis.call('SET', KEYS[1], '1') return redis.call('GET', KEYS[1])", 1, 'k')
  expect((await count.commands()).map(([name]) => name)).toEqual(['eval'])
})

test('loading a script is not counted, a failed EVALSHA and the EVAL after it are', async () => {
  const source = `return '${redis.prefix}'`
  await client.script('LOAD', 'return 1')
  await expect(client.evalsha('f'.repeat(40), 0)).rejects.toThrow('NOSCRIPT')
  await client.eval(source, 0)
  expect((await count.commands()).map(([name]) => name)).toEqual(['evalsha', 'eval'])
})

test('a PING and an ECHO of a client are counted, only the markers are not', async () => {
  await client.ping()
  await client.echo('hello')
  expect(await count.commands()).toEqual([['ping'], ['echo', 'hello']])
})

test('two counts at once do not count each other', async () => {
  const other = await countCommands(redis.url)
  await Promise.all([count.commands(), other.commands()])
  await client.get('x')
  expect([await count.commands(), await other.commands()]).toEqual([[['get', 'x']], [['get', 'x']]])
  await other.stop()
})

test('a count whose connection is lost rejects instead of showing less', async () => {
  const other = await countCommands(redis.url)
  await client.call('CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
  await expect(other.commands()).rejects.toThrow()
  count = await countCommands(redis.url)
})
