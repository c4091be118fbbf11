import { randomUUID } from 'node:crypto'
import { createIdem } from '@idem/core'
import { startRedis, type TestRedis } from '@idem/testing'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ioredisStore } from '../src/index.js'
import { letters } from './letters.js'

vi.setConfig({ testTimeout: 60_000 })

let redis: TestRedis
let admin: Redis
beforeAll(async () => {
  redis = await startRedis()
  admin = new Redis(redis.url)
})
afterAll(async () => {
  admin.disconnect()
  await redis.stop()
})

/** One process; `ask` is a call of it that streams, to its end. */
function processOn(prefix: string) {
  const idem = createIdem({ store: ioredisStore(admin, { prefix }), logger: { warn() {} } })
  const one = { idem, calls: 0, ask }
  async function ask() {
    const response = await idem.exchange({
      dialect: letters,
      request: {
        url: 'http://letters/',
        method: 'POST',
        headers: new Headers({ authorization: 'key' }),
        body: '{}',
      },
      async send() {
        one.calls++
        return new Response('abc.', { headers: { 'content-type': 'text/event-stream' } })
      },
    })
    return { status: response.status, text: await response.text() }
  }
  return one
}

/** The name of the one key under this prefix, and its value. */
async function keyOf(prefix: string) {
  const names = await admin.keys(`${prefix}*`)
  const name = names.find((one) => one.endsWith('}'))!
  return { name, value: (await admin.getBuffer(name))! }
}

const newPrefix = () => `${redis.prefix}${randomUUID()}:`
const change = fc.record({ at: fc.nat(), to: fc.nat(255) })

test('a record of which one byte before its answer was changed: every caller is answered, by one call at most', async () => {
  await fc.assert(
    fc.asyncProperty(change, async ({ at, to }) => {
      const prefix = newPrefix()
      await processOn(prefix).ask()
      const { name, value } = await keyOf(prefix)
      const changed = Buffer.from(value)
      changed[at % value.lastIndexOf('\n')] = to
      await admin.set(name, changed, 'KEEPTTL')
      const [one, other] = [processOn(prefix), processOn(prefix)]
      expect(await Promise.all([one.ask(), one.ask(), other.ask()])).toEqual(
        Array(3).fill({ status: 200, text: 'abc.' }),
      )
      // If the version is changed, the record is left alone, and each process makes its own call.
      expect(one.calls).toBeLessThanOrEqual(1)
      expect(other.calls).toBeLessThanOrEqual(1)
      await Promise.all([one.idem.close(), other.idem.close()])
    }),
    { numRuns: 150 },
  )
})

test('a record with another fingerprint is replaced by one call, and nobody is told of a key reused', async () => {
  const prefix = newPrefix()
  await processOn(prefix).ask()
  const { name, value } = await keyOf(prefix)
  const changed = Buffer.from(value)
  // R <owner> <fingerprint> …
  const at = value.indexOf(' ', 2) + 1
  changed[at] = changed[at] === 0x41 ? 0x42 : 0x41
  await admin.set(name, changed, 'KEEPTTL')
  const [one, other] = [processOn(prefix), processOn(prefix)]
  expect(await one.ask()).toEqual({ status: 200, text: 'abc.' })
  expect(await other.ask()).toEqual({ status: 200, text: 'abc.' })
  expect([one.calls, other.calls]).toEqual([1, 0])
})

test('a lock with another fingerprint: the call is made unshared, and the lock left alone', async () => {
  const prefix = newPrefix()
  await processOn(prefix).ask()
  const { name, value } = await keyOf(prefix)
  const [, owner, fingerprint = ''] = value.toString('latin1').split(/[ \n]/)
  const lock = `L ${owner} ${fingerprint.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`
  await admin.set(name, lock, 'PX', 60_000)
  const one = processOn(prefix)
  expect(await one.ask()).toEqual({ status: 200, text: 'abc.' })
  expect(one.calls).toBe(1)
  expect(await admin.get(name)).toBe(lock)
})
