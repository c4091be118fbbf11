import { Anthropic } from '@anthropic-ai/sdk'
import { gatedReply } from '@idem/testing'
import { describe, expect, test } from 'vitest'
import { clientOf, eventsOf, params, streamed, useProvider } from './tools.js'

const context = useProvider()

describe('a stream that does not end well is never taken for an answer', () => {
  test('an error event: every caller is told, nothing is stored, the next call executes', async () => {
    const { client } = clientOf(context.provider)
    context.provider.reply((_, index) =>
      index === 0 ? { status: 200, error: { type: 'overloaded_error' }, chunkDelayMs: 2 } : {},
    )
    const ended = await Promise.all(
      Array.from({ length: 5 }, () => eventsOf(client).catch((error) => error as Error)),
    )
    for (const error of ended) expect(error).toMatchObject({ type: 'overloaded_error' })
    expect((await eventsOf(client)).at(-1)).toEqual({ type: 'message_stop' })
    expect(context.provider.calls).toBe(2)
  })

  test('an error event reaches a duplicate that wants the whole as the error it is, and its SDK asks again', async () => {
    const { client } = clientOf(context.provider)
    context.provider.reply((_, index) =>
      index === 0 ? { status: 200, error: { type: 'overloaded_error' }, latencyMs: 30 } : {},
    )
    const stream = eventsOf(client).catch((error) => error as Error)
    await context.provider.waitForCalls(1)
    const [whole, once] = await Promise.all([
      client.messages.create(params),
      client.messages.create(params, { maxRetries: 0 }).catch((error) => error as Error),
    ])
    expect(once).toMatchObject({ status: 529, type: 'overloaded_error' })
    expect(whole.type).toBe('message')
    expect(await stream).toMatchObject({ type: 'overloaded_error' })
    expect(context.provider.calls).toBe(2)
  })

  test.each([
    ['a connection that breaks', { drop: 'mid-body' as const }],
    [
      'a stream that is cut short',
      { body: 'event: message_start\ndata: {"type":"message_start","message":{}}\n\n' },
    ],
  ])('%s: every caller is told, the next call executes', async (_, script) => {
    const { client, idem } = clientOf(context.provider)
    context.provider.reply((_, index) => (index === 0 ? script : {}))
    const ended = await Promise.all(
      Array.from({ length: 5 }, () => eventsOf(client).catch((error) => error as Error)),
    )
    for (const error of ended) expect(error).toBeInstanceOf(Error)
    expect((await eventsOf(client)).at(-1)).toEqual({ type: 'message_stop' })
    expect(context.provider.calls).toBe(2)
    expect(idem.stats().replayed).toBe(0)
  })

  test('a duplicate that wants the whole of a stream that breaks asks again', async () => {
    const { client } = clientOf(context.provider)
    context.provider.reply((_, index) => (index === 0 ? { drop: 'mid-body', latencyMs: 30 } : {}))
    const stream = eventsOf(client).catch((error) => error as Error)
    await context.provider.waitForCalls(1)
    expect((await client.messages.create(params)).type).toBe('message')
    expect(await stream).toBeInstanceOf(Error)
    expect(context.provider.calls).toBe(2)
  })

  test('a connection that breaks after the last event does no harm', async () => {
    const { client } = clientOf(context.provider)
    const whole = await new Anthropic({ baseURL: context.provider.url, apiKey: 'key' }).messages
      .create(streamed)
      .asResponse()
    // A comment as long as the stream follows it: the connection is dropped in the middle of the comment.
    const text = await whole.text()
    context.provider.reset()
    context.provider.reply({
      body: Buffer.from(`${text}: ${'.'.repeat(text.length + 100)}\n\n`),
      drop: 'mid-body',
    })
    await eventsOf(client)
    await eventsOf(client)
    expect(context.provider.calls).toBe(1)
  })

  test('one over the limit: its own caller has all of it, joiners are told, nothing is stored', async () => {
    const warnings: string[] = []
    const { client } = clientOf(
      context.provider,
      {},
      {
        tuning: { maxRecordBytes: 4_000 },
        logger: { warn: (one) => warnings.push(one) },
      },
    )
    const gate = gatedReply({ text: 'word '.repeat(400) })
    context.provider.reply((_, index) => (index === 0 ? gate.script : {}))
    const owner = eventsOf(client)
    await context.provider.waitForCalls(1)
    const whole = client.messages.create(params)
    const stream = await client.messages.create(streamed)
    gate.open(5)
    const joiner = stream[Symbol.asyncIterator]()
    await joiner.next()
    gate.open()
    const told = (async () => {
      while (!(await joiner.next()).done);
    })()
    await expect(told).rejects.toMatchObject({ code: 'IDEM_STREAM_INTERRUPTED' })
    const events = await owner
    expect(events.at(-1)).toEqual({ type: 'message_stop' })
    expect(events.length).toBeGreaterThan(400)
    expect((await whole).type).toBe('message')
    await eventsOf(client)
    expect(context.provider.calls).toBe(3)
    expect(warnings).toHaveLength(1)
  })
})
