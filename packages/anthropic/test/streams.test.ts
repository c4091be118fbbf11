import { Anthropic } from '@anthropic-ai/sdk'
import { createIdem } from '@idem/core'
import { gatedReply } from '@idem/testing'
import { describe, expect, test } from 'vitest'
import { idempotency, messagesDialect } from '../src/index.js'
import { bytesOf, clientOf, eventsOf, params, streamed, useProvider } from './tools.js'

const context = useProvider()

describe('duplicates of a stream', () => {
  test('ten at once: one upstream call, equal bytes', async () => {
    const { client, idem } = clientOf(context.provider)
    const texts = await Promise.all(Array.from({ length: 10 }, () => bytesOf(client)))
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]).toContain('event: message_stop')
    expect(context.provider.calls).toBe(1)
    expect(idem.stats()).toMatchObject({ executed: 1, collapsed: 9, replayed: 0 })
    expect(idem.stats().saved.usage.output).toBeGreaterThan(0)
  })

  test('a later one gets the same bytes, padding and pings included, without a call', async () => {
    const { client, idem } = clientOf(context.provider)
    const body =
      'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}   \n\n' +
      ': a comment\n\nevent: ping\ndata: {"type": "ping"}\n\n' +
      'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1}}\n\n' +
      'event: message_stop\ndata: {"type":"message_stop"}        \n\n'
    context.provider.reply({ body })
    expect(await bytesOf(client)).toBe(body)
    const replay = await client.messages.create(streamed).asResponse()
    expect(replay.headers.get('cache-status')).toMatch(/^idem; hit; ttl=\d+; key="/)
    expect(replay.headers.get('content-type')).toContain('text/event-stream')
    expect(await replay.text()).toBe(body)
    expect(context.provider.calls).toBe(1)
    expect(idem.stats()).toMatchObject({ executed: 1, replayed: 1 })
  })

  test('one that comes in the middle gets what was sent so far at once, and then what comes', async () => {
    const { client } = clientOf(context.provider)
    const gate = gatedReply()
    context.provider.reply(gate.script)
    const owner = (await client.messages.create(streamed))[Symbol.asyncIterator]()
    gate.open(6)
    const seen = []
    for (let i = 0; i < 4; i++) seen.push((await owner.next()).value)

    const joiner = (await client.messages.create(streamed))[Symbol.asyncIterator]()
    const joined = []
    for (let i = 0; i < 4; i++) joined.push((await joiner.next()).value)
    expect(joined).toEqual(seen)

    gate.open()
    for (let next = await owner.next(); !next.done; next = await owner.next()) seen.push(next.value)
    for (let next = await joiner.next(); !next.done; next = await joiner.next()) joined.push(next.value)
    expect(joined).toEqual(seen)
    expect(context.provider.calls).toBe(1)
  })

  test('the owner’s caller has each piece before the next one is sent', async () => {
    const { client } = clientOf(context.provider)
    const gate = gatedReply()
    context.provider.reply(gate.script)
    const pending = client.messages.create(streamed).asResponse()
    gate.open(1)
    const reader = (await pending).body!.getReader()
    let pieces = 0
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      pieces++
      gate.open(1)
    }
    expect(pieces).toBeGreaterThan(8)
  })
})

/** The message, asked for as a whole or put together by the SDK from a stream; as JSON, which has no undefined. */
async function messageOf(client: Anthropic, form: 'stream' | 'whole'): Promise<Anthropic.Message> {
  if (form === 'whole') return client.messages.create(params)
  const { parsed_output: _, ...message } = await client.messages.stream(params).finalMessage()
  return JSON.parse(JSON.stringify(message))
}

describe('stream and whole answer are one', () => {
  test.each(['stream', 'whole'] as const)(
    '%s first: ten mixed duplicates, one call, one message',
    async (form) => {
      const { client } = clientOf(context.provider)
      const other = form === 'stream' ? 'whole' : 'stream'
      const calls = Array.from({ length: 10 }, (_, index) =>
        messageOf(client, index % 2 === 0 ? form : other),
      )
      const [first, ...others] = await Promise.all(calls)
      for (const message of others) expect(message).toEqual(first)
      expect(context.provider.calls).toBe(1)
    },
  )

  test.each([
    ['stream', 'whole'],
    ['whole', 'stream'],
  ] as const)('a record of a %s is replayed as a %s', async (form, other) => {
    const { client } = clientOf(context.provider)
    const first = await messageOf(client, form)
    expect(await messageOf(client, other)).toEqual(first)
    expect(context.provider.calls).toBe(1)
  })

  test('a duplicate that wants a stream of a running whole call gets pings, then the events', async () => {
    const { client } = clientOf(context.provider)
    const gate = gatedReply()
    context.provider.reply(gate.script)
    const whole = client.messages.create(params)
    await context.provider.waitForCalls(1)
    const response = await client.messages.create(streamed).asResponse()
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toContain('event: ping')
    gate.open()
    let text = ''
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value
    expect(text).toContain('event: message_stop')
    expect(text).toContain((await whole).id)
    expect(context.provider.calls).toBe(1)
  }, 15_000)

  test('a refusal of the provider that comes after the pings is the error of the stream', async () => {
    const { client } = clientOf(context.provider)
    const gate = gatedReply({ status: 529 })
    context.provider.reply(gate.script)
    const whole = client.messages.create(params, { maxRetries: 0 }).catch((error) => error)
    await context.provider.waitForCalls(1)
    const stream = await client.messages.create(streamed)
    gate.open()
    await expect(
      (async () => {
        for await (const _ of stream) {
        }
      })(),
    ).rejects.toMatchObject({ type: 'overloaded_error' })
    expect(await whole).toMatchObject({ status: 529 })
  }, 15_000)
})

describe('every way the SDK has to stream', () => {
  const tool = { name: 'weather', description: 'the weather', input_schema: { type: 'object' as const } }

  test('MessageStream: its events in order, the joiner’s as the owner’s', async () => {
    const { client } = clientOf(context.provider)
    const log = async () => {
      const events: string[] = []
      const stream = client.messages.stream(params)
      for (const name of [
        'connect',
        'streamEvent',
        'text',
        'contentBlock',
        'message',
        'finalMessage',
        'end',
      ] as const) {
        stream.on(name, (...args: unknown[]) => events.push(`${name} ${JSON.stringify(args[0]) ?? ''}`))
      }
      await stream.done()
      return events
    }
    const [first, second] = await Promise.all([log(), log()])
    expect(second).toEqual(first)
    expect(await log()).toEqual(first)
    expect(first[0]).toContain('connect')
    expect(first.at(-1)).toContain('end')
    expect(context.provider.calls).toBe(1)
  })

  test('withResponse() and its request id', async () => {
    const { client } = clientOf(context.provider)
    const first = await client.messages.create(streamed).withResponse()
    const second = await client.messages.create(streamed).withResponse()
    expect(second.request_id).toBe(first.request_id)
    expect(second.response.headers.get('cache-status')).toContain('collapsed')
    for await (const _ of first.data);
    for await (const _ of second.data);
    expect(context.provider.calls).toBe(1)
  })

  test('beta.messages: create, stream', async () => {
    const { client } = clientOf(context.provider)
    const events = []
    for await (const event of await client.beta.messages.create(streamed)) events.push(event)
    const message = await client.beta.messages.stream(params).finalMessage()
    expect(message.type).toBe('message')
    expect(events.at(-1)).toEqual({ type: 'message_stop' })
    expect(context.provider.calls).toBe(1)
  })

  test('a tool call: shared in flight, not stored', async () => {
    const { client } = clientOf(context.provider)
    context.provider.reply({
      content: [
        { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Zürich', days: [1, 2] } },
      ],
      stopReason: 'tool_use',
      latencyMs: 20,
    })
    const ask = () => client.messages.stream({ ...params, tools: [tool] }).finalMessage()
    const [first, second] = await Promise.all([ask(), ask()])
    expect(second.content).toEqual(first.content)
    expect(first.content[0]).toMatchObject({ input: { city: 'Zürich', days: [1, 2] } })
    expect(context.provider.calls).toBe(1)
    await ask()
    expect(context.provider.calls).toBe(2)
  })

  test('toolRunner({ stream: true }): two at once, one call a turn', async () => {
    const { client } = clientOf(context.provider)
    context.provider.reply((request) =>
      request.body.messages.length > 1
        ? { text: 'It is sunny.' }
        : {
            content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern' } }],
            stopReason: 'tool_use',
            latencyMs: 20,
          },
    )
    const runnable = {
      ...tool,
      type: 'custom' as const,
      run: async () => 'sunny',
      parse: (input: unknown) => input as object,
    }
    const run = async () => {
      const runner = client.beta.messages.toolRunner({
        ...params,
        tools: [runnable],
        stream: true,
        thread: false,
      })
      return runner.runUntilDone()
    }
    const [first, second] = await Promise.all([run(), run()])
    expect(first!.content[0]).toMatchObject({ text: 'It is sunny.' })
    expect(second!.content).toEqual(first!.content)
    expect(context.provider.calls).toBe(2)
  })

  test('idem.fetch: a stream for plain code, joined and replayed', async () => {
    const idem = createIdem({ dialects: [messagesDialect] })
    const ask = () =>
      idem.fetch(`${context.provider.url}/v1/messages`, {
        method: 'POST',
        headers: { authorization: 'Bearer key' },
        body: JSON.stringify(streamed),
      })
    const texts = await Promise.all([ask(), ask(), ask()].map(async (response) => (await response).text()))
    texts.push(await (await ask()).text())
    expect(new Set(texts).size).toBe(1)
    expect(context.provider.calls).toBe(1)
  })

  test('two clients over one idem, two keys: two calls', async () => {
    const idem = createIdem()
    const clients = ['a', 'b'].map(
      (apiKey) => new Anthropic({ baseURL: context.provider.url, apiKey, middleware: [idempotency(idem)] }),
    )
    await Promise.all(clients.map(eventsOf))
    expect(context.provider.calls).toBe(2)
  })
})
