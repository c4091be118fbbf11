import { randomUUID } from 'node:crypto'
import { createIdem } from '@idem/core'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { ioredisStore } from '../src/index.js'
import { letters } from './letters.js'

vi.setConfig({ testTimeout: 60_000 })

/** Long enough for any load of the machine. */
const until = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000, interval: 5 })

let redis: TestRedis
let admin: Redis
let prefix: string
let closing: (() => Promise<unknown>)[]
beforeAll(async () => {
  redis = await startRedis()
  admin = new Redis(redis.url)
})
afterAll(async () => {
  admin.disconnect()
  await redis.stop()
})
beforeEach(() => {
  prefix = `${redis.prefix}${randomUUID()}:`
  closing = []
})
afterEach(async () => {
  for (const close of closing) await close()
})

function process() {
  const client = new Redis(redis.url)
  const idem = createIdem({
    store: ioredisStore(client, { prefix }),
    tuning: { leaseMs: 3_000 },
    logger: { warn() {} },
  })
  closing.push(() => idem.close().then(() => client.disconnect()))
  const upstream: ReadableStreamDefaultController<Uint8Array>[] = []
  const ask = async () => {
    const response = await idem.exchange({
      dialect: letters,
      request: {
        url: 'http://letters/',
        method: 'POST',
        headers: new Headers({ authorization: 'key' }),
        body: '{}',
      },
      async send() {
        const body = new ReadableStream<Uint8Array>({ start: (controller) => void upstream.push(controller) })
        return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
      },
    })
    return readerOf(response)
  }
  return { idem, ask, upstream, send: (text: string) => upstream[0]!.enqueue(Buffer.from(text)) }
}

function readerOf(response: Response) {
  const reader = response.body!.getReader()
  const next = async () => Buffer.from((await reader.read()).value ?? []).toString()
  return {
    async until(text: string) {
      let read = ''
      while (read.length < text.length) read += await next()
      expect(read).toBe(text)
    },
    async rest() {
      let text = ''
      for (let piece = await next(); piece; piece = await next()) text += piece
      return text
    },
  }
}

/** Names under the prefix: of the lock, of the log. */
async function namesOf(part: '' | ':live:*'): Promise<string[]> {
  const names = await admin.keys(`${prefix.replaceAll(/[[\]?*]/g, '\\$&')}{*}${part}`)
  return part === '' ? names.filter((name) => name.endsWith('}')) : names
}

/** Deletes all data of this test, as a flush of the server would. */
async function flush() {
  const names = await admin.keys(`${prefix}*`)
  await admin.del(...names)
}

/** An owner that streams, and three callers in another process that have its first bytes. */
async function followed() {
  const [owner, other] = [process(), process()]
  const first = owner.ask()
  await until(() => expect(owner.upstream).toHaveLength(1))
  owner.send('abc')
  const reader = await first
  await reader.until('abc')
  const followers = await Promise.all([other.ask(), other.ask(), other.ask()])
  for (const one of followers) await one.until('abc')
  return { owner, other, reader, followers }
}

test.each(['before the owner has its lock back', 'after the owner has its lock back'])(
  'a flush in the middle of a stream: all followers get the whole answer, from one call (it ends %s)',
  async (when) => {
    const { owner, other, reader, followers } = await followed()
    await flush()
    if (when.startsWith('after')) {
      await until(async () => expect(await namesOf('')).toHaveLength(1))
      await until(async () => expect(await namesOf(':live:*')).toHaveLength(1))
    }
    owner.send('def')
    for (const one of followers) await one.until('def')
    owner.send('ghi.')
    owner.upstream[0]!.close()
    expect(await reader.rest()).toBe('defghi.')
    for (const one of followers) expect(await one.rest()).toBe('ghi.')
    expect([owner.upstream.length, other.upstream.length]).toEqual([1, 0])
  },
)

test('a lock that was evicted in the middle of a stream: the same', async () => {
  const { owner, other, followers } = await followed()
  await admin.del(...(await namesOf('')))
  await until(async () => expect(await namesOf('')).toHaveLength(1))
  owner.send('def.')
  owner.upstream[0]!.close()
  for (const one of followers) expect(await one.rest()).toBe('def.')
  expect([owner.upstream.length, other.upstream.length]).toEqual([1, 0])
})

test('a forged message on the channel of the key is not taken for the answer', async () => {
  const { owner, other, followers } = await followed()
  const [log] = await namesOf(':live:*')
  const offset = await admin.strlen(log!)
  const [channel, name] = log!.split(':live:')
  const forged = `live ${name} ${offset}\nXYZ`
  // Its followers have the first bytes before they hear any hint.
  await until(async () => expect(await admin.call('SPUBLISH', channel!, forged)).toBe(1))
  for (const one of followers) await one.until('XYZ')
  owner.send('def.')
  owner.upstream[0]!.close()
  for (const one of followers)
    await expect(one.rest()).rejects.toMatchObject({ code: 'IDEM_STREAM_INTERRUPTED' })
  expect(await (await other.ask()).rest()).toBe('abcdef.')
  expect(other.upstream).toHaveLength(0)
})

test('a log whose bytes were changed is not taken for the answer', async () => {
  const owner = process()
  const first = owner.ask()
  await until(() => expect(owner.upstream).toHaveLength(1))
  owner.send('abc')
  await (await first).until('abc')
  const found = () => namesOf(':live:*')
  await until(async () => expect(await found()).toHaveLength(1))
  const [log] = await found()
  await until(async () => expect(await admin.get(log!)).toMatch(/abc$/))
  await admin.setrange(log!, (await admin.strlen(log!)) - 2, 'X')
  const other = process()
  const follower = await other.ask()
  await follower.until('aXc')
  owner.send('def.')
  owner.upstream[0]!.close()
  await expect(follower.rest()).rejects.toMatchObject({ code: 'IDEM_STREAM_INTERRUPTED' })
  expect(await (await other.ask()).rest()).toBe('abcdef.')
})
