import { createIdem } from '@idem/core'
import { startRedis, type TestRedis } from '@idem/testing'
import type { GlideClient } from '@valkey/valkey-glide'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { valkeyGlideStore } from '../src/index.js'
import { asSent } from '../src/valkey-glide-errors.js'
import { connect } from './clients.js'

let redis: TestRedis
let client: GlideClient
beforeAll(async () => {
  redis = await startRedis()
  client = await connect(redis.url)
})
afterAll(async () => {
  client.close()
  await redis.stop()
})

test.each([
  ['NOSCRIPT No matching script.', 'NOSCRIPT No matching script.'],
  ['ERR syntax error', 'ERR syntax error'],
  [
    "OOM command not allowed when used memory > 'maxmemory'.",
    "OOM command not allowed when used memory > 'maxmemory'.",
  ],
  [
    "READONLY You can't write against a read only replica.",
    "READONLY You can't write against a read only replica.",
  ],
  ['MISCONF Errors writing to the AOF file', 'MISCONF Errors writing to the AOF file'],
  ['NOREPLICAS Not enough good replicas to write.', 'NOREPLICAS Not enough good replicas to write.'],
  ['CLUSTERDOWN The cluster is down', 'CLUSTERDOWN The cluster is down'],
  ['LOADING Redis is loading the dataset in memory', 'BUSYLOADING Redis is loading the dataset in memory'],
  ['NOPERM no permissions: at all', 'PERMISSIONDENIED no permissions: at all'],
])('a server that says %s is heard to say %s', async (said, heard) => {
  const refusal = await client
    .customCommand(['EVAL', `return redis.error_reply(ARGV[1])`, '0', said])
    .catch((error) => error)
  expect(asSent(refusal)).toMatchObject({ message: heard, cause: refusal })
})

test('errors of the connection are left as they are', () => {
  for (const message of [
    'timed out',
    'Received connection error `Connection reset by peer (os error 104)`. Will attempt to reconnect',
    'Unable to execute requests; the client is closed. Please create a new client.',
    '',
  ]) {
    const error = new Error(message)
    expect(asSent(error)).toBe(error)
  }
})

test('a server older than 7 is reported once: calls go on without it, or are refused as asked', async () => {
  const customCommand = async () => {
    throw new Error('An error was signalled by the server: - ResponseError: syntax error')
  }
  const warn = vi.fn()
  const idem = createIdem({ store: valkeyGlideStore({ customCommand, close() {} }), logger: { warn } })
  const work = vi.fn()
  const run = idem.run('key', work, { ifStoreFails: 'reject' })
  await expect(run).rejects.toMatchObject({ code: 'IDEM_UNSUPPORTED_SERVER' })
  expect(work).not.toHaveBeenCalled()
  expect(await idem.run('key', () => 1)).toBe(1)
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/7\.0/)]])
})

test.each(['set', 'get', 'evalsha', 'time', 'spublish'])(
  'a user without %s is told so by name, with what to grant',
  async (command) => {
    const user = `without-${command}`
    await client.customCommand(['ACL', 'SETUSER', user, 'on', '>p', '+@all', '~*', '&*', `-${command}`])
    const one = await connect(redis.url, { credentials: { username: user, password: 'p' } })
    const idem = createIdem({ store: valkeyGlideStore(one, { prefix: redis.prefix }), logger: { warn() {} } })
    await expect(idem.ready()).rejects.toMatchObject({
      code: 'IDEM_STORE_UNAVAILABLE',
      message: expect.stringContaining(`"ACL SETUSER <user> +${command}"`),
    })
    expect(await idem.run(command, () => 'made')).toBe('made')
    await idem.close()
    one.close()
  },
)

test('a server that takes no writes still replays what it has, and calls go on', async () => {
  const small = await startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] })
  const one = await connect(small.url)
  const idem = createIdem({ store: valkeyGlideStore(one), logger: { warn() {} } })
  await idem.run('stored', () => 'kept')
  const fill = async () => {
    for (let index = 0; ; index++) await one.set(`filler:${index}`, 'x'.repeat(100_000))
  }
  await expect(fill()).rejects.toThrow(/OOM/)
  expect(await idem.runWithOutcome('stored', () => 'again')).toEqual({ value: 'kept', outcome: 'replayed' })
  expect(await idem.runWithOutcome('new', () => 'made')).toEqual({ value: 'made', outcome: 'executed' })
  await idem.close()
  one.close()
  await small.stop()
})
