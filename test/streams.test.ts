import {
  gatedReply,
  type Provider,
  spawnWorker,
  startProvider,
  startRedis,
  type TestRedis,
  type Worker,
} from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

/** Streams over a real Redis, between real processes. */
let redis: TestRedis
let admin: Redis
let provider: Provider
const workers: Worker[] = []
beforeAll(async () => {
  ;[redis, provider] = await Promise.all([startRedis(), startProvider()])
  admin = new Redis(redis.url)
})
beforeEach(() => provider.reset())
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()))
})
afterAll(async () => {
  admin.disconnect()
  await Promise.all([redis.stop(), provider.stop()])
})

async function spawn(options: object = {}, env: Record<string, string> = {}): Promise<Worker> {
  const worker = await spawnWorker(new URL('./stream-worker.mjs', import.meta.url), {
    env: {
      REDIS_URL: redis.url,
      PREFIX: redis.prefix,
      UPSTREAM_URL: provider.url,
      IDEM_OPTIONS: JSON.stringify(options),
      ...env,
    },
  })
  workers.push(worker)
  return worker
}

interface Read {
  text: string
  error?: { code?: string; name: string }
}

/** Reads a stream to its end; `has` resolves when the reader has this text. */
function follow(worker: Worker, name: string) {
  let latest = ''
  const waiting: { text: string; resolve: () => void }[] = []
  worker.on('piece', (piece: { name: string; text: string }) => {
    if (piece.name !== name) return
    latest = piece.text
    for (const one of waiting) if (latest.includes(one.text)) one.resolve()
  })
  return {
    end: worker.call<Read>('read', name),
    has: (text: string) =>
      new Promise<void>((resolve) => {
        if (latest.includes(text)) resolve()
        else waiting.push({ text, resolve })
      }),
  }
}

/** The ids of the messages a text has bytes of. */
const messagesIn = (text: string) => new Set(text.match(/msg_01[0-9a-f]+/g))

const LAST = 'event: message_stop'
const FIRST = 'event: content_block_delta'

describe('4 processes of 25 callers', () => {
  const patterns: Record<string, (index: number) => string> = {
    streams: () => 'stream',
    'whole answers': () => 'whole',
    'both, streams first': (index) => (index % 2 === 0 ? 'stream' : 'whole'),
    'both, whole answers first': (index) => (index % 2 === 0 ? 'whole' : 'stream'),
  }
  test.each(Object.entries(patterns))(
    '%s: one upstream call, the same answer for all',
    async (about, mode) => {
      const all = await Promise.all([spawn(), spawn(), spawn(), spawn()])
      provider.reply({ latencyMs: 100, chunkDelayMs: 5 })
      const modes = Array.from({ length: 25 }, (_, index) => mode(index))
      const answers = (
        await Promise.all(all.map((worker) => worker.call<unknown[]>('storm', about, modes)))
      ).flat()
      expect(answers).toHaveLength(100)
      expect(provider.calls).toBe(1)

      const streams = answers.filter((answer) => typeof answer === 'string')
      const messages = answers.filter((answer) => typeof answer !== 'string')
      expect(new Set(streams).size).toBeLessThanOrEqual(1)
      for (const message of messages) expect(message).toEqual(messages[0])
      if (streams.length > 0) messages.push(await all[0]!.call('message', about, 'stream'))
      if (messages.length > 1) messages.push(await all[1]!.call('message', about, 'whole'))
      for (const message of messages) expect(message).toEqual(messages[0])
      expect(provider.calls).toBe(1)
    },
  )
})

describe.each([
  ['with hints', {}],
  ['by polls alone', { DEAF: '1' }],
])('a duplicate in another process, %s,', (_, env: Record<string, string>) => {
  test('that comes in the middle has what was sent so far at once, and then what comes', async () => {
    const about = `joiner ${Object.keys(env)}`
    const [a, b] = await Promise.all([spawn(), spawn({}, env)])
    const gated = gatedReply()
    provider.reply(gated.script)
    gated.open(5)
    expect(await a!.call('begin', 'owner', about)).toMatch(/^idem; fwd=miss; key=/)
    const owner = follow(a!, 'owner')
    await owner.has(FIRST)

    expect(await b!.call('begin', 'joiner', about)).toMatch(/^idem; fwd=miss; collapsed; key=/)
    const joiner = follow(b!, 'joiner')
    await joiner.has(FIRST)
    gated.open(1)
    await Promise.all([owner.has('is '), joiner.has('is ')])
    gated.open()
    const [first, second] = await Promise.all([owner.end, joiner.end])
    expect(first.text).toContain(LAST)
    expect(second).toEqual(first)
    expect(provider.calls).toBe(1)
  })
})

test('a process that stands still does not slow the owner, and goes on where it was', async () => {
  const [a, b] = await Promise.all([spawn(), spawn()])
  const gated = gatedReply({ text: 'word '.repeat(2_000) })
  provider.reply(gated.script)
  gated.open(5)
  await a!.call('begin', 'owner', 'slow')
  await b!.call('begin', 'joiner', 'slow')
  const [owner, joiner] = [follow(a!, 'owner'), follow(b!, 'joiner')]
  await joiner.has(FIRST)
  b!.signal('SIGSTOP')
  gated.open()
  const first = await owner.end
  expect(first.text).toContain(LAST)
  b!.signal('SIGCONT')
  expect(await joiner.end).toEqual(first)
  expect(provider.calls).toBe(1)
})

describe('an owner that is killed in the middle', () => {
  const options = { leaseMs: 500 }

  test('a duplicate that has bytes is told so, with an error that says to ask again; others take over unawares', async () => {
    const [a, b, c] = await Promise.all([spawn(options), spawn(options), spawn(options)])
    const gated = gatedReply()
    provider.reply((_, index) => (index === 0 ? gated.script : {}))
    gated.open(5)
    await a!.call('begin', 'owner', 'killed')
    const owner = follow(a!, 'owner')
    await owner.has(FIRST)
    await b!.call('begin', 'joiner', 'killed')
    const joiner = follow(b!, 'joiner')
    await joiner.has(FIRST)
    // Has its headers, and has read nothing.
    await c!.call('begin', 'patient', 'killed')
    const whole = c!.call<{ id: string }>('message', 'killed', 'whole')
    owner.end.catch(() => {})

    a!.signal('SIGKILL')
    const killedAt = performance.now()
    const told = await joiner.end
    const passedMs = performance.now() - killedAt
    expect(told.error).toEqual({ code: 'IDEM_STREAM_INTERRUPTED', name: 'StreamInterruptedError' })
    expect(told.text).not.toContain(LAST)
    expect(passedMs).toBeLessThan(options.leaseMs + 1_000)

    const patient = await follow(c!, 'patient').end
    expect(patient.error).toBeUndefined()
    expect(patient.text).toContain(LAST)
    expect([...messagesIn(patient.text)]).toEqual([(await whole).id])
    expect(messagesIn(told.text)).not.toEqual(messagesIn(patient.text))
    expect(provider.calls).toBe(2)
  })
})

describe('an owner whose caller has left', () => {
  const options = { abandonGraceMs: 300, pollMaxMs: 100 }

  test('goes on as long as somebody waits in another process', async () => {
    const [a, b] = await Promise.all([spawn(options), spawn(options)])
    const gated = gatedReply()
    provider.reply(gated.script)
    gated.open(5)
    await a!.call('begin', 'owner', 'left')
    await b!.call('begin', 'joiner', 'left')
    const joiner = follow(b!, 'joiner')
    await joiner.has(FIRST)
    await a!.call('leave', 'owner')
    // Several times the grace.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(provider.requests[0]!.state).toBe('open')
    gated.open()
    expect((await joiner.end).text).toContain(LAST)
    expect(await a!.call('stats')).toMatchObject({ cancelled: 0 })
    expect(provider.calls).toBe(1)
  })

  test('is cancelled when nobody is left anywhere, and that is nobody’s failure', async () => {
    const [a, b] = await Promise.all([spawn(options), spawn(options)])
    const gated = gatedReply()
    provider.reply((_, index) => (index === 0 ? gated.script : {}))
    gated.open(5)
    await a!.call('begin', 'owner', 'gone')
    await b!.call('begin', 'joiner', 'gone')
    await Promise.all([a!.call('leave', 'owner'), b!.call('leave', 'joiner')])
    await provider.requests[0]!.closedByClient
    const message = await b!.call<{ type: string }>('message', 'gone', 'stream')
    expect(message.type).toBe('message')
    expect(await a!.call('stats')).toMatchObject({ cancelled: 1 })
    expect(provider.calls).toBe(2)
  })
})

test('two owners: a paused one goes on after its lease; nobody has bytes of both, and one answer stands', async () => {
  const options = { leaseMs: 500 }
  const [a, b] = await Promise.all([spawn(options), spawn(options)])
  const gates = [gatedReply(), gatedReply()]
  provider.reply((_, index) => gates[index]!.script)
  gates[0]!.open(5)
  await a!.call('begin', 'owner', 'paused')
  const owner = follow(a!, 'owner')
  await owner.has(FIRST)
  a!.signal('SIGSTOP')
  // Waits for the lease to lapse, and takes over.
  const began = b!.call('begin', 'successor', 'paused')
  await provider.waitForCalls(2)
  gates[1]!.open(5)
  await began
  const successor = follow(b!, 'successor')
  await successor.has(FIRST)
  a!.signal('SIGCONT')
  gates[1]!.open()
  const second = await successor.end
  gates[0]!.open()
  const first = await owner.end

  expect(first.text).toContain(LAST)
  expect(second.text).toContain(LAST)
  expect(messagesIn(first.text).size).toBe(1)
  expect(messagesIn(second.text).size).toBe(1)
  expect(first.text).not.toBe(second.text)
  const stands = await b!.call<{ id: string }>('message', 'paused', 'whole')
  expect([...messagesIn(second.text)]).toEqual([stands.id])
  expect(await a!.call('message', 'paused', 'whole')).toEqual(stands)
  expect(await a!.call('stats')).toMatchObject({ diverged: 1, superseded: 0 })
  expect(provider.calls).toBe(2)
})

test('nothing is left behind: every key has a time to live, and nobody is subscribed', async () => {
  const [a, b] = await Promise.all([spawn(), spawn()])
  provider.reply({ chunkDelayMs: 2 })
  await Promise.all([
    a!.call('storm', 'left behind', ['stream', 'whole']),
    b!.call('storm', 'left behind', ['stream']),
  ])
  const keys = await admin.keys(`${redis.prefix}*`)
  expect(keys.length).toBeGreaterThan(0)
  for (const key of keys) expect(await admin.pttl(key)).toBeGreaterThan(0)
  await vi.waitFor(async () =>
    expect(await admin.call('PUBSUB', 'SHARDCHANNELS', `${redis.prefix}*`)).toEqual([]),
  )
})
