import { gatedReply } from '@idem/testing'
import { Redis } from 'ioredis'
import { describe, expect, test, vi } from 'vitest'
import { FIRST, follow, LAST, useStreamProcesses } from './stream-processes.js'

const context = useStreamProcesses()

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
      const all = await Promise.all([context.spawn(), context.spawn(), context.spawn(), context.spawn()])
      context.provider.reply({ latencyMs: 100, chunkDelayMs: 5 })
      const modes = Array.from({ length: 25 }, (_, index) => mode(index))
      const answers = (
        await Promise.all(all.map((worker) => worker.call<unknown[]>('storm', about, modes)))
      ).flat()
      expect(answers).toHaveLength(100)
      expect(context.provider.calls).toBe(1)

      const streams = answers.filter((answer) => typeof answer === 'string')
      const messages = answers.filter((answer) => typeof answer !== 'string')
      expect(new Set(streams).size).toBeLessThanOrEqual(1)
      for (const message of messages) expect(message).toEqual(messages[0])
      if (streams.length > 0) messages.push(await all[0]!.call('message', about, 'stream'))
      if (messages.length > 1) messages.push(await all[1]!.call('message', about, 'whole'))
      for (const message of messages) expect(message).toEqual(messages[0])
      expect(context.provider.calls).toBe(1)
    },
  )
})

describe.each([
  ['with hints', {}],
  ['by polls alone', { DEAF: '1' }],
])('a duplicate in another process, %s,', (_, env: Record<string, string>) => {
  test('that comes in the middle has what was sent so far at once, and then what comes', async () => {
    const about = `joiner ${Object.keys(env)}`
    const [a, b] = await Promise.all([context.spawn(), context.spawn({}, env)])
    const gated = gatedReply()
    context.provider.reply(gated.script)
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
    expect(context.provider.calls).toBe(1)
  })
})

test('a process that stands still does not slow the owner, and goes on where it was', async () => {
  const [a, b] = await Promise.all([context.spawn(), context.spawn()])
  const gated = gatedReply({ text: 'word '.repeat(2_000) })
  context.provider.reply(gated.script)
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
  expect(context.provider.calls).toBe(1)
})

test('nothing is left behind: every key has a time to live, and nobody is subscribed', async () => {
  const [a, b] = await Promise.all([context.spawn(), context.spawn()])
  context.provider.reply({ chunkDelayMs: 2 })
  await Promise.all([
    a!.call('storm', 'left behind', ['stream', 'whole']),
    b!.call('storm', 'left behind', ['stream']),
  ])
  const admin = new Redis(context.redis.url)
  const keys = await admin.keys(`${context.redis.prefix}*`)
  expect(keys.length).toBeGreaterThan(0)
  for (const key of keys) expect(await admin.pttl(key)).toBeGreaterThan(0)
  await vi.waitFor(
    async () => expect(await admin.call('PUBSUB', 'SHARDCHANNELS', `${context.redis.prefix}*`)).toEqual([]),
    { timeout: 20_000 },
  )
  admin.disconnect()
})
