import type { Anthropic } from '@anthropic-ai/sdk'
import type { IdemOptions } from '@idem/core'
import { gatedReply } from '@idem/testing'
import { describe, expect, test } from 'vitest'
import { clientOf, eventsOf, params, streamed, useProvider } from './tools.js'

const context = useProvider()

describe('what one caller does touches no other', () => {
  /**
   * Ten callers of a stream that pauses after its first pieces. The first caller does something; the others read on.
   */
  async function withOthers(deed: (client: Anthropic) => Promise<unknown>, idemOptions: IdemOptions = {}) {
    const { client, idem } = clientOf(context.provider, {}, idemOptions)
    const gate = gatedReply()
    context.provider.reply(gate.script)
    const doing = deed(client)
    await context.provider.waitForCalls(1)
    const others = Array.from({ length: 9 }, () => eventsOf(client))
    gate.open(4)
    await doing
    gate.open()
    const all = await Promise.all(others)
    for (const events of all) expect(events).toEqual(all[0])
    expect(all[0]!.at(-1)).toEqual({ type: 'message_stop' })
    expect(context.provider.calls).toBe(1)
    return { idem, client }
  }

  test('break', () =>
    withOthers(async (client) => {
      for await (const _ of await client.messages.create(streamed)) break
    }))

  test('controller.abort()', () =>
    withOthers(async (client) => {
      const stream = await client.messages.create(streamed)
      for await (const _ of stream) stream.controller.abort()
    }))

  test('an abort of its own signal, before any answer', () =>
    withOthers(async (client) => {
      const aborter = new AbortController()
      const call = client.messages.create(streamed, { signal: aborter.signal })
      await context.provider.waitForCalls(1)
      aborter.abort()
      await expect(call).rejects.toThrow('aborted')
    }))

  test('an answer that is never read', () =>
    withOthers((client) => client.messages.create(streamed).asResponse()))

  test('abort() of a MessageStream', () =>
    withOthers(async (client) => {
      const stream = client.messages.stream(params)
      stream.on('text', () => stream.abort())
      await expect(stream.finalMessage()).rejects.toThrow('aborted')
    }))

  test('cancel() of the body', () =>
    withOthers(async (client) => {
      const response = await client.messages.create(streamed).asResponse()
      await response.body!.cancel()
    }))

  test('an abort in the middle ends the loop of the one that aborts at once, though nothing more comes', async () => {
    const { client } = clientOf(context.provider)
    const gate = gatedReply()
    context.provider.reply(gate.script)
    gate.open(3)
    const aborter = new AbortController()
    const stream = await client.messages.create(streamed, { signal: aborter.signal })
    let seen = 0
    for await (const _ of stream) if (++seen === 2) aborter.abort()
    expect(seen).toBe(2)
  })
})

describe('callers that leave', () => {
  test('a timeout leaves the call running: the retry joins it and has the whole', async () => {
    const { client } = clientOf(context.provider, { timeout: 100, maxRetries: 3 })
    context.provider.reply({ latencyMs: 250 })
    const events = await eventsOf(client)
    expect(events.at(-1)).toEqual({ type: 'message_stop' })
    expect(context.provider.calls).toBe(1)
  })

  test('a timeout with nobody coming back: the call is finished and stored', async () => {
    const { client } = clientOf(
      context.provider,
      { maxRetries: 0 },
      {
        tuning: { abandonGraceMs: 20 },
      },
    )
    context.provider.reply({ latencyMs: 150 })
    await expect(client.messages.create(streamed, { timeout: 50 })).rejects.toThrow('timed out')
    await (await context.provider.waitForCalls(1))[0]!.done
    expect((await eventsOf(client)).at(-1)).toEqual({ type: 'message_stop' })
    expect(context.provider.calls).toBe(1)
  })

  test('left on purpose by all, the call is cancelled after the grace; the next one executes', async () => {
    const { client, idem } = clientOf(
      context.provider,
      {},
      {
        tuning: { abandonGraceMs: 50 },
      },
    )
    const gate = gatedReply()
    context.provider.reply((_, index) => (index === 0 ? gate.script : {}))
    gate.open(3)
    for await (const _ of await client.messages.create(streamed)) break
    await context.provider.requests[0]!.closedByClient
    expect(idem.stats().cancelled).toBe(1)
    expect((await eventsOf(client)).at(-1)).toEqual({ type: 'message_stop' })
    expect(context.provider.calls).toBe(2)
  })

  test('a caller that comes within the grace keeps it', async () => {
    const { client, idem } = clientOf(
      context.provider,
      {},
      {
        tuning: { abandonGraceMs: 60_000 },
      },
    )
    const gate = gatedReply()
    context.provider.reply(gate.script)
    gate.open(3)
    for await (const _ of await client.messages.create(streamed)) break
    const again = eventsOf(client)
    gate.open()
    expect((await again).at(-1)).toEqual({ type: 'message_stop' })
    expect(idem.stats().cancelled).toBe(0)
    expect(context.provider.calls).toBe(1)
  })

  test('with ifAbandoned: finish it is stored all the same', async () => {
    const { client } = clientOf(
      context.provider,
      {},
      {
        tuning: { abandonGraceMs: 10 },
        ifAbandoned: 'finish',
      },
    )
    const gate = gatedReply()
    context.provider.reply(gate.script)
    gate.open(3)
    for await (const _ of await client.messages.create(streamed)) break
    gate.open()
    await context.provider.requests[0]!.done
    await eventsOf(client)
    expect(context.provider.calls).toBe(1)
  })

  test('no more calls than allowed go on with nobody waiting', async () => {
    const { client, idem } = clientOf(
      context.provider,
      {},
      {
        tuning: { abandonGraceMs: 60_000, maxAbandonedCalls: 1 },
      },
    )
    context.provider.reply(() => neverEnding())
    const leave = async (content: string) => {
      const messages = [{ role: 'user' as const, content }]
      for await (const _ of await client.messages.create({ ...streamed, messages })) break
    }
    await leave('one')
    await leave('two')
    await context.provider.requests[1]!.closedByClient
    expect(context.provider.requests[0]!.state).toBe('open')
    expect(idem.stats().cancelled).toBe(1)
  })

  test('and they hold no more bytes than allowed', async () => {
    const { client, idem } = clientOf(
      context.provider,
      {},
      {
        tuning: { abandonGraceMs: 60_000, maxAbandonedBytes: 2_000 },
      },
    )
    const gate = gatedReply({ text: 'word '.repeat(200) })
    context.provider.reply(gate.script)
    gate.open(3)
    for await (const _ of await client.messages.create(streamed)) break
    gate.open(100)
    await context.provider.requests[0]!.closedByClient
    expect(idem.stats().cancelled).toBe(1)
  })
})

function neverEnding() {
  const gate = gatedReply()
  gate.open(3)
  return gate.script
}
